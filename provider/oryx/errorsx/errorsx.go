// Package errorsx stands in for the one of github.com/ory/x that fosite uses, and holds only what fosite names.
// The original module links gRPC, exporters of traces and an object-relational mapper into whoever uses it.
package errorsx

// WithStack gives err back: fosite's errors carry a meaning, and nobody reads where they were made.
func WithStack(err error) error { return err }

// Cause gives the innermost error that a chain of Cause methods leads to.
func Cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error })
		if !ok || c.Cause() == nil {
			return err
		}
		err = c.Cause()
	}
}

// What an error may tell about itself.
type (
	// StatusCodeCarrier tells the HTTP status.
	StatusCodeCarrier interface{ StatusCode() int }
	// StatusCarrier tells the text of the status.
	StatusCarrier interface{ Status() string }
	// RequestIDCarrier tells the request.
	RequestIDCarrier interface{ RequestID() string }
	// ReasonCarrier tells the reason.
	ReasonCarrier interface{ Reason() string }
	// DebugCarrier tells what only an operator may see.
	DebugCarrier interface{ Debug() string }
	// DetailsCarrier tells more.
	DetailsCarrier interface{ Details() map[string]any }
)
