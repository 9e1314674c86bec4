package factor

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// A set of recovery codes: so many, each of sixteen characters out of thirty-two. That is 80 bits, where 64 are asked (NIST SP 800-63B-4
// §4.2.1.1): nobody guesses one, so wrong ones are slowed down but stop none, and whoever has only the password takes none from its owner.
const (
	inSet      = 10
	codeLength = 16
)

// RecoveryCodes keeps people's recovery codes: for the day on which the device that they prove themselves by is lost.
type RecoveryCodes struct{ room }

// Left tells how many codes of a person's set are left, and of when it is; the zero time where they have none.
func (c *RecoveryCodes) Left(ctx context.Context, person uuid.UUID) (left int, madeAt time.Time, err error) {
	const read = `SELECT cardinality(digests), made_at FROM recovery_codes WHERE person_id = $1`
	err = c.pool.QueryRow(ctx, read, person).Scan(&left, &madeAt)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, time.Time{}, fmt.Errorf("count recovery codes: %w", err)
	}
	return left, madeAt, nil
}

// ErrMade says that a set was made since.
var ErrMade = errors.New("recovery codes were made since")

// pressedFor is how long who has pressed a button twice is shown by the second what came of the first.
const pressedFor = 30 * time.Second

// Make gives a person a new set in place of the one that was made at a time, zero for none; nobody can show it again but the same occasion at once, by a
// second press, and the phone is told. The codes of the former one are worth nothing from then on. ErrMade says that there is another one by now;
// identity.ErrState says that the identifier is not Active, or was acted upon since who was read. Whether the person came by the strongest factor they have
// is for the caller to see to.
func (c *RecoveryCodes) Make(ctx context.Context, who identity.Identity, occasion string, before time.Time, act identity.Act) ([]string, error) {
	codes, err := c.set(ctx, who.Person, occasion, before)
	if err != nil {
		return nil, fmt.Errorf("make recovery codes: %w", err)
	}
	digests := make([][]byte, inSet)
	for i, code := range codes {
		if digests[i], err = c.digest(who.Person, code); err != nil {
			return nil, err
		}
		codes[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	}
	const made = `SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND digests = $2 AND made_at > $3`
	const upsert = `
		INSERT INTO recovery_codes (person_id, digests, made_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET digests = EXCLUDED.digests, made_at = EXCLUDED.made_at WHERE recovery_codes.made_at = $4`
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if err := hold(ctx, tx, who); err != nil {
			return err
		}
		var pressed int
		err := tx.QueryRow(ctx, made, who.Person, digests, act.At.Add(-pressedFor)).Scan(&pressed)
		if err != nil || pressed > 0 {
			return err
		}
		tag, err := tx.Exec(ctx, upsert, who.Person, digests, act.At, before)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrMade
		}
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, event(audit.RecoveryCodesMade, who.Person, "", act)); err != nil {
			return err
		}
		return c.registry.Tell(ctx, tx, who.Person, "sms.recovery_codes_made", act)
	})
	if err != nil {
		return nil, fmt.Errorf("make recovery codes: %w", err)
	}
	return codes, nil
}

// set draws the codes of a set, the same for all who do so on an occasion in place of one set.
func (c *RecoveryCodes) set(ctx context.Context, person uuid.UUID, occasion string, before time.Time) ([]string, error) {
	index, err := c.box.Index("recovery_codes:set", fmt.Appendf(person[:], "%d %s", before.UnixMicro(), occasion))
	if err != nil {
		return nil, err
	}
	var fresh strings.Builder
	for range inSet {
		fresh.WriteString(rand.Text()[:codeLength]) // of A to Z and 2 to 7: nothing that looks alike (RFC 4648 §6)
	}
	drawn, err := c.drawn(ctx, "recovery_codes:"+hex.EncodeToString(index), []byte(fresh.String()), pressedFor)
	if err != nil {
		return nil, err
	}
	var codes []string
	for code := range slices.Chunk(drawn, codeLength) {
		codes = append(codes, string(code))
	}
	return codes, nil
}

// ParseRecoveryCode reads a code as it was typed: capitals or not, with hyphens and spaces or without. What cannot be one costs no try.
func ParseRecoveryCode(typed string) (string, bool) {
	code := strings.ToUpper(strings.NewReplacer("-", "", " ", "", "\u00a0", "", "0", "O", "8", "B").Replace(typed))
	return code, len(code) == codeLength && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Check proves a recovery code, which its use spends, records and tells the phone. ErrWrong says nothing more: not whether the person has any;
// a *WaitError that there were too many tries. home is what the browser is known by to this person, nil elsewhere: it has a budget of its own.
func (c *RecoveryCodes) Check(ctx context.Context, p Purpose, person uuid.UUID, code string, home []byte) (Proof, error) {
	try := c.try(ByRecoveryCode, person, home)
	if err := c.take(ctx, try); err != nil {
		return Proof{}, err
	}
	digest, err := c.digest(person, code)
	if err != nil {
		return Proof{}, err
	}
	const read = `
		SELECT c.digests, i.changed_at
		FROM recovery_codes c JOIN identity i ON i.person_id = c.person_id
		WHERE c.person_id = $1 AND concat_ws(':', i.state, i.block_reason) = $2`
	var (
		digests [][]byte
		changed time.Time
	)
	err = c.pool.QueryRow(ctx, read, person, p.stance()).Scan(&digests, &changed)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Proof{}, fmt.Errorf("find recovery codes: %w", err)
	}
	if !slices.ContainsFunc(digests, func(d []byte) bool { return bytes.Equal(d, digest) }) {
		return Proof{}, ErrWrong
	}
	if err := c.throttle.Forgive(ctx, try); err != nil {
		return Proof{}, err
	}
	return Proof{person, changed, ByRecoveryCode, func(ctx context.Context, tx pgx.Tx, act identity.Act) error {
		const use = `
			UPDATE recovery_codes SET digests = array_remove(digests, $2)
			WHERE person_id = $1 AND $2 = ANY (digests)`
		tag, err := tx.Exec(ctx, use, person, digest)
		if err := once(tag, err); err != nil {
			return err
		}
		used := event(audit.RecoveryCodeUsed, person, "", act)
		used.Detail = map[string]string{"purpose": string(p)}
		if err := audit.Record(ctx, tx, used); err != nil {
			return err
		}
		return c.registry.Tell(ctx, tx, person, "sms.recovery_code_used", act)
	}}, nil
}

// digest is what is kept of a code. Its key is not in the database: whoever has only that can try nothing out (OWASP ASVS 5.0 6.5.2).
func (c *RecoveryCodes) digest(person uuid.UUID, code string) ([]byte, error) {
	return c.box.Index("recovery_codes:digests", append(person[:], code...))
}

func (c *RecoveryCodes) forget(ctx context.Context, tx pgx.Tx, person uuid.UUID, act identity.Act) error {
	const forget = `DELETE FROM recovery_codes WHERE person_id = $1`
	tag, err := tx.Exec(ctx, forget, person)
	if err != nil {
		return fmt.Errorf("forget recovery codes: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return audit.Record(ctx, tx, event(audit.RecoveryCodesGone, person, "unblocked", act))
}
