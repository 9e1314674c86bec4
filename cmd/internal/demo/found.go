package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/idp"
	"asoba.example/provider/seal"
)

// found does what an operator does before the provider serves for the first time, by the operator's own commands.
func (d *demo) found(ctx context.Context) error {
	for _, file := range []string{d.idp.MasterKeyFile, d.cabinet.MasterKeyFile} {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			if err := place(file, []byte(seal.NewMasterKey()+"\n")); err != nil {
				return err
			}
		}
	}
	if !d.keep.prepared() {
		d.say.step("register")
		if err := d.edition(ctx, 1); err != nil {
			return err
		}
	}
	return clients.Found(ctx, d.terminal, d.addresses(), d.keep.clients(), d.keep.put)
}

// terminal registers a client as the operator does, or changes the one of an id.
func (d *demo) terminal(ctx context.Context, id string, m clients.Metadata) (told clients.Told, err error) {
	metadata, err := json.Marshal(m)
	if err != nil {
		return told, err
	}
	args := []string{"client", "add", "-"}
	if id != "" {
		args = []string{"client", "change", id, "-"}
	}
	said, err := d.errand(ctx, string(metadata), args...)
	if err != nil {
		return told, err
	}
	if err := json.Unmarshal(said, &told); err != nil {
		return told, fmt.Errorf("read what idp client said: %w", err)
	}
	return told, nil
}

// edition brings an edition of the population register. The same again changes nothing.
func (d *demo) edition(ctx context.Context, number int) error {
	file, err := os.CreateTemp(d.dir, "register-*.csv")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(cast.Register(number)); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	_, err = d.errand(ctx, "", "register", "import", file.Name())
	return err
}

// appoint makes somebody one of the staff, whom no desk could have served.
func (d *demo) appoint(ctx context.Context, p cast.Person) error {
	_, err := d.errand(ctx, "", "clerk", "add", "--role", string(p.Role),
		"--identifier", p.IdentificationNumber, "--office", p.Office(), "--phone", p.Phone,
		"--family", p.Family, "--given", p.Given, "--middle", p.Middle,
		"--document-kind", p.Document.Kind, "--document", p.Document.Number, "--valid-till", p.Document.ValidTill)
	return err
}

// errand runs a command of idp's operators and gives what it said.
func (d *demo) errand(ctx context.Context, in string, args ...string) ([]byte, error) {
	var out bytes.Buffer
	if err := idp.Run(ctx, d.environment(), strings.NewReader(in), &out, args...); err != nil {
		return nil, fmt.Errorf("idp %s: %w", args[0], err)
	}
	return out.Bytes(), nil
}
