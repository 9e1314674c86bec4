package login

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"

	"asoba.example/login/factor"
)

// quiet is how wide the margin of a QR code is, in its own squares (ISO/IEC 18004 §6.3.8).
const quiet = 4

// invited draws what an app is to take over. The drawing stands in the page: the security policy needs to allow nothing for it, and the key
// is in no address that a browser would ask for.
func invited(i factor.Invitation) (invitedApp, error) {
	code, err := qr.Encode(i.URI, qr.M, qr.Auto)
	if err != nil {
		return invitedApp{}, fmt.Errorf("draw a QR code: %w", err)
	}
	size := code.Bounds().Dx()
	var squares strings.Builder
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&squares, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	key := i.Key
	var groups []string
	for ; len(key) > 4; key = key[4:] {
		groups = append(groups, key[:4])
	}
	return invitedApp{
		Size: size + 2*quiet, Squares: squares.String(), Key: strings.Join(append(groups, key), " "),
		Link: template.URL(i.URI), //nolint:gosec // made by us: otpauth, and nothing that somebody has typed
	}, nil
}
