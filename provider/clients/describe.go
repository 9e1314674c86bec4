package clients

import (
	"encoding/json"
	"time"
)

// Describe tells a client to whoever manages it: the members of RFC 7591 §3.2.1, and of ours how it stands. The secret
// is told where it has just been made; else it is "".
func (c *Client) Describe(secret string, now time.Time) (map[string]any, error) {
	text, err := json.Marshal(c.Metadata)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	members["client_id"] = c.ID
	members["stage"] = c.Stage
	if c.Owner != nil {
		members["owner"] = c.Owner
	}
	members["client_id_issued_at"] = c.CreatedAt.Unix()
	if secret != "" {
		members["client_secret"] = secret
		members["client_secret_expires_at"] = 0
	}
	if c.PreviousSecretTill != nil {
		members["previous_client_secret_expires_at"] = c.PreviousSecretTill.Unix()
	}
	if c.DisabledAt != nil {
		members["disabled_at"] = c.DisabledAt.Unix()
	}
	if warnings := c.Warnings(now); len(warnings) > 0 {
		members["warnings"] = warnings
	}
	return members, nil
}
