package sms

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/api"
	"asoba.example/provider/seal"
)

// Receipts is the door at which a Kannel tells what became of a message. Each message has an address of its own at each gateway, which
// tells nothing of it and which only who was asked to send it can know.
type Receipts struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	URL  string // where gateways find the door's listener
	Now  func() time.Time
}

// Mount puts the door on the management listener.
func (r *Receipts) Mount(mux api.Mux) {
	mux.Handle("GET /sms/receipts/{gateway}/{id}/{token}", api.Handler(r.take))
}

// kannels are what Kannel tells (User's Guide, "Delivery Reports"), each a bit of the mask.
var kannels = map[string]State{
	"1":  Delivered, // to the phone
	"2":  Failed,    // the phone could not be reached in time
	"4":  Sent,      // waits in the network
	"8":  Sent,      // the network has taken it
	"16": Failed,    // the network does not take it
}

// take handles GET /sms/receipts/{gateway}/{id}/{token}?type=. A receipt may come twice, late and before an earlier one: a
// message moves along its drawing or not at all.
func (r *Receipts) take(w http.ResponseWriter, request *http.Request) error {
	id, err := uuid.Parse(request.PathValue("id"))
	if err != nil {
		return errNoSuch
	}
	gateway := request.PathValue("gateway")
	token, err := r.token(id, gateway)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(token), []byte(request.PathValue("token"))) {
		return errNoSuch
	}
	state, ok := kannels[request.URL.Query().Get("type")]
	if !ok {
		return api.Refuse(http.StatusBadRequest, "invalid_type", errors.New("a type of receipt that Kannel does not have"))
	}
	if err := move(request.Context(), r.Pool, id, state, gateway, r.Now()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// errNoSuch is told to who guesses, whether there is such a message or not.
var errNoSuch = api.Refuse(http.StatusNotFound, "unknown_receipt", nil)

// address is where a message's receipts go.
func (r *Receipts) address(m Message) (string, error) {
	token, err := r.token(m.ID, m.Via)
	return r.URL + "/sms/receipts/" + m.Via + "/" + m.ID.String() + "/" + token, err
}

func (r *Receipts) token(id uuid.UUID, gateway string) (string, error) {
	digest, err := r.Box.Index("sms_message:receipts", append(id[:], gateway...))
	return base64.RawURLEncoding.EncodeToString(digest), err
}
