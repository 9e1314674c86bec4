package cabinet

import "time"

// Config is every setting of the cabinet. The comments are the manual: --help prints them.
type Config struct {
	// URL is the cabinet's public URL and the audience of the tokens that its API takes; no path, no trailing slash.
	// URL/callback is its redirect URI, URL/ where a sign-out returns to, and URL/back-channel-logout where the provider tells that a session
	// is over: register them exactly.
	URL string `env:"CABINET_URL" envDefault:"http://localhost:8081" url:"origin"`

	// Listen is the address to listen on.
	Listen string `env:"CABINET_LISTEN" envDefault:"localhost:8081"`

	// MetricsListen is the address at which GET /metrics answers Prometheus; nowhere by default. It does not belong on the
	// open Internet.
	MetricsListen string `env:"CABINET_METRICS_LISTEN"`

	// Issuer is the provider's URL. Everything else about the provider is read from its discovery document.
	Issuer string `env:"CABINET_ISSUER" envDefault:"http://localhost:8080" url:""`

	// ManagementURL is where the provider's change feed and register are read.
	ManagementURL string `env:"CABINET_MANAGEMENT_URL" envDefault:"http://localhost:8082" url:""`

	// ClientID is the name under which the cabinet is registered at the provider.
	ClientID string `env:"CABINET_CLIENT_ID,required"`

	// ClientKeyFile holds the cabinet's private key as a JWK (EC P-256 or RSA), by which it proves itself at the provider.
	ClientKeyFile string `env:"CABINET_CLIENT_KEY_FILE,required"`

	// DatabaseURL is the PostgreSQL database of the cabinet (PostgreSQL 15 or later). It may also be given as a file.
	DatabaseURL string `env:"CABINET_DATABASE_URL,required"`

	// DatabaseOwnerURL is the same database as another role, which owns what is in it and is a member of the role of DatabaseURL: cabinet
	// migrate and cabinet journal drop run as this one. The program itself can then neither change nor take out what a journal says. It may
	// also be given as a file.
	DatabaseOwnerURL string `env:"CABINET_DATABASE_OWNER_URL"`

	// DatabaseConnections is how many connections requests may use at once.
	DatabaseConnections int32 `env:"CABINET_DATABASE_CONNECTIONS" envDefault:"16"`

	// RedisURL is the Redis of the cabinet: redis://, rediss:// or unix://. It may also be given as a file.
	RedisURL string `env:"CABINET_REDIS_URL,required"`

	// MasterKeyFile holds 32 random bytes in base64, other ones than the provider's. It opens the key by which journals are signed, and
	// what citizens told of themselves; keep it apart from backups.
	MasterKeyFile string `env:"CABINET_MASTER_KEY_FILE,required"`

	// Sources are other systems of the state that are asked what they know of a citizen, as cmd/cabinet/sources.md tells: a JSON list, which
	// holds secrets, so give it as a file. None by default. cabinet source put has them in force; here only their addresses are taken from it.
	Sources string `env:"CABINET_SOURCES"`

	// SourcesCertFile and SourcesKeyFile are shown to sources that ask for a certificate (mutual TLS).
	SourcesCertFile string `env:"CABINET_SOURCES_CERT_FILE"`

	// SourcesKeyFile is the private key of SourcesCertFile.
	SourcesKeyFile string `env:"CABINET_SOURCES_KEY_FILE"`

	// AllowLoopbackFetch lets sources be on this machine, and e-services be told there, by plain http too. For trials only.
	AllowLoopbackFetch bool `env:"CABINET_ALLOW_LOOPBACK_FETCH" envDefault:"false"`

	// JournalYears is how far back citizens see their journal.
	JournalYears int `env:"CABINET_JOURNAL_YEARS" envDefault:"3"`

	// JournalKeptYears is for how long entries of journals are kept before cabinet journal drop takes them out; never shorter than 5.
	JournalKeptYears int `env:"CABINET_JOURNAL_KEPT_YEARS" envDefault:"7"`

	// TLSCertFile and TLSKeyFile turn on TLS; without them a proxy in front does it.
	TLSCertFile string `env:"CABINET_TLS_CERT_FILE"`

	// TLSKeyFile is the private key of TLSCertFile.
	TLSKeyFile string `env:"CABINET_TLS_KEY_FILE"`

	// MTLSURL is the public URL of a second listener, for the API alone, which asks e-services for their certificates: a token that is bound
	// to one is taken nowhere else (RFC 8705 §3). None by default. It needs CABINET_TLS_CERT_FILE and CABINET_TLS_KEY_FILE.
	MTLSURL string `env:"CABINET_MTLS_URL" url:"origin"`

	// MTLSListen is the address of that listener.
	MTLSListen string `env:"CABINET_MTLS_LISTEN" envDefault:"localhost:8444"`

	// StopNotice is how long /readyz says 503 at a stop before the listeners close, so that a load balancer has looked away by then.
	StopNotice time.Duration `env:"CABINET_STOP_NOTICE" envDefault:"0s"`

	// SessionIdle ends a web session nobody uses.
	SessionIdle time.Duration `env:"CABINET_SESSION_IDLE" envDefault:"15m"`

	// SessionTotal ends every web session, however busy.
	SessionTotal time.Duration `env:"CABINET_SESSION_TOTAL" envDefault:"12h"`
}
