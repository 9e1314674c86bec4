package demo

// Config is every setting of the demo's own. The settings of idp, cabinet and eservice work here as well, and win over
// the demo's choices. The comments are the manual: --help prints them.
type Config struct {
	// URL is where the workbench is reached.
	URL string `env:"DEMO_URL" envDefault:"http://localhost:8084" url:""`

	// Listen is the address of the workbench.
	Listen string `env:"DEMO_LISTEN" envDefault:"localhost:8084"`
}
