package sms

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// A Kannel is asked as its smsbox is, by the headers of sendsms (Kannel User's Guide, "Using HTTP to send an SMS"): neither
// its password nor a message is ever part of a URL. It does not know a message by an id; what becomes of one it tells by
// receipts.
type Kannel struct {
	url, username, password string
	client                  *http.Client
	receipts                *Receipts
}

var _ Gateway = (*Kannel)(nil)

// NewKannel makes a gateway of the address of a Kannel's sendsms, with the name and password of its user.
func NewKannel(address string, receipts *Receipts) (*Kannel, error) {
	u, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	password, ok := u.User.Password()
	if !ok || u.User.Username() == "" {
		return nil, errors.New("a Kannel's address is without the name and password of its user")
	}
	k := &Kannel{username: u.User.Username(), password: password, client: newClient(), receipts: receipts}
	u.User = nil
	k.url = u.String()
	return k, nil
}

// Receipts: it gives them.
func (k *Kannel) Receipts() bool { return true }

// Send asks for the message to be sent while it is worth something, and for every receipt there is.
func (k *Kannel) Send(ctx context.Context, m Message) error {
	receipts, err := k.receipts.address(m)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}
	for name, value := range map[string]string{
		"Username": k.username, "Password": k.password, "To": m.To,
		"Coding": coding(m.Text), "Validity": strconv.Itoa(int(max(m.For, time.Minute) / time.Minute)),
		"DLR-Mask": "31", "DLR-Url": receipts + "?type=%d", // Kannel puts one of the mask's bits for %d
	} {
		header.Set("X-Kannel-"+name, value)
	}
	return post(ctx, k.client, k.url, header, []byte(m.Text))
}

// coding is 2, UCS-2, where a text has letters that the GSM alphabet has not, and 0 for plain ASCII: each way our
// messages fit one segment (3GPP TS 23.038 §6.2).
func coding(text string) string {
	for _, r := range text {
		if r > '~' {
			return "2"
		}
	}
	return "0"
}
