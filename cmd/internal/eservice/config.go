package eservice

// Config is every setting of the sample e-service. The comments are the manual: --help prints them.
type Config struct {
	// Issuer is the provider's URL. Everything else about the provider is read from its discovery document.
	Issuer string `env:"ESERVICE_ISSUER" envDefault:"http://localhost:8080" url:""`

	// ClientID is the name under which this e-service is registered at the provider.
	ClientID string `env:"ESERVICE_CLIENT_ID,required"`

	// ClientSecret was told once, at registration. It may also be given as a file.
	ClientSecret string `env:"ESERVICE_CLIENT_SECRET,required"`

	// URL is this e-service's public URL. URL/callback is its redirect URI, URL/ where a sign-out returns to, URL/back-channel-logout where
	// the provider tells of a sign-out elsewhere: register each exactly.
	URL string `env:"ESERVICE_URL" envDefault:"http://localhost:8083" url:""`

	// Listen is the address to listen on.
	Listen string `env:"ESERVICE_LISTEN" envDefault:"localhost:8083"`

	// CabinetURL is the cabinet's URL: the API that the access token is for.
	CabinetURL string `env:"ESERVICE_CABINET_URL" envDefault:"http://localhost:8081" url:""`

	// Scope is what the e-service asks for. Ask for what the service needs and nothing more: the citizen sees it.
	Scope string `env:"ESERVICE_SCOPE" envDefault:"openid profile phone cabinet.profile.read"`
}
