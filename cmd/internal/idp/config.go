package idp

import "time"

// Config is every setting of idp. The comments are the manual: --help prints them.
type Config struct {
	// Issuer is the provider's public URL, the iss of every token; no path, no trailing slash.
	Issuer string `env:"IDP_ISSUER" envDefault:"http://localhost:8080" url:"origin"`

	// Listen is the address of the public listener.
	Listen string `env:"IDP_LISTEN" envDefault:"localhost:8080"`

	// ManagementURL is the management API's public URL and the audience of the tokens that it takes.
	ManagementURL string `env:"IDP_MANAGEMENT_URL" envDefault:"http://localhost:8082" url:""`

	// ManagementListen is the address of the management listener. It does not belong on the open Internet.
	ManagementListen string `env:"IDP_MANAGEMENT_LISTEN" envDefault:"localhost:8082"`

	// CabinetURL is the cabinet's public URL and the audience of tokens with cabinet scopes.
	CabinetURL string `env:"IDP_CABINET_URL" envDefault:"http://localhost:8081" url:""`

	// DatabaseURL is the PostgreSQL database of idp (PostgreSQL 15 or later). It may also be given as a file.
	DatabaseURL string `env:"IDP_DATABASE_URL,required"`

	// DatabaseOwnerURL is the same database as another role, which owns what is in it and is a member of the role of DatabaseURL: idp migrate
	// and idp audit drop run as this one. The program itself can then neither change nor take out what it has recorded. It may also be
	// given as a file.
	DatabaseOwnerURL string `env:"IDP_DATABASE_OWNER_URL"`

	// DatabaseConnections is how many connections requests may use at once. Jobs and notifications have some of their own.
	DatabaseConnections int32 `env:"IDP_DATABASE_CONNECTIONS" envDefault:"16"`

	// RedisURL is the Redis of idp: redis://, rediss:// or unix://. It may also be given as a file.
	RedisURL string `env:"IDP_REDIS_URL,required"`

	// MasterKeyFile holds 32 random bytes in base64. It opens everything that is sealed in the database; keep it apart from backups.
	MasterKeyFile string `env:"IDP_MASTER_KEY_FILE,required"`

	// KeyRotateEvery is how long a signing key signs before the next one follows; 0 leaves that to idp key rotate.
	KeyRotateEvery time.Duration `env:"IDP_KEY_ROTATE_EVERY" envDefault:"2160h"`

	// PKCS11Module is the PKCS #11 library of a hardware security module, where new signing keys are made and kept;
	// without it they lie in the database, sealed. It needs a build with -tags pkcs11.
	PKCS11Module string `env:"IDP_PKCS11_MODULE"`

	// PKCS11Token is the label of the module's token.
	PKCS11Token string `env:"IDP_PKCS11_TOKEN"`

	// PKCS11PINFile holds the PIN of the token's user.
	PKCS11PINFile string `env:"IDP_PKCS11_PIN_FILE"`

	// TLSCertFile and TLSKeyFile turn on TLS on every listener; without them a proxy in front does it.
	TLSCertFile string `env:"IDP_TLS_CERT_FILE"`

	// TLSKeyFile is the private key of TLSCertFile.
	TLSKeyFile string `env:"IDP_TLS_KEY_FILE"`

	// MTLSURL is the public URL of a third listener, which asks clients for their certificates (RFC 8705). None by default. It needs
	// IDP_TLS_CERT_FILE: what a proxy tells of certificates is not believed.
	MTLSURL string `env:"IDP_MTLS_URL" url:"origin"`

	// MTLSListen is the address of that listener.
	MTLSListen string `env:"IDP_MTLS_LISTEN" envDefault:"localhost:8443"`

	// MTLSCAFile holds the authorities, in PEM, whose certificates tls_client_auth takes. Without it clients register their own ones.
	MTLSCAFile string `env:"IDP_MTLS_CA_FILE"`

	// TrustedProxies are the networks whose X-Forwarded-For is believed, comma-separated. Nobody's by default: behind a proxy that
	// is not named here everybody has one address, and its limits together.
	TrustedProxies []string `env:"IDP_TRUSTED_PROXIES"`

	// SMSGatewayURL takes messages for phones: POST {"id","kind","to","text"}; any 2xx means taken by the network, 422 that no
	// phone has the number, and an id that comes again is the same message. kannel+http:// or kannel+https://name:password@host/cgi-bin/sendsms is a Kannel instead: it brings
	// its receipts to IDP_MANAGEMENT_URL. It may also be given as a file.
	SMSGatewayURL string `env:"IDP_SMS_GATEWAY_URL,required"`

	// SMSSecondGatewayURL is another such gateway, which is asked where the first does not take a message: at once where that one refuses it, and
	// 30 seconds after it was asked where it has given no answer and may have taken it. None by default.
	SMSSecondGatewayURL string `env:"IDP_SMS_SECOND_GATEWAY_URL"`

	// DocumentRegisterURL is the register of identity documents, which is asked about what is shown at a desk: https, in a private network
	// too, with a name and a password if it wants them. None by default: then the clerk's word is all there is. It may also be given as a file.
	DocumentRegisterURL string `env:"IDP_DOCUMENT_REGISTER_URL" url:""`

	// RegisterURL is the population register itself, which is asked about one person before something is given to them at a desk, and before
	// they lift a block of their own or have another phone: https, in a private network too, with a name and a password if it wants them.
	// None by default: then what the editions tell is all there is. It may also be given as a file.
	RegisterURL string `env:"IDP_REGISTER_URL" url:""`

	// RegisterKeyFile is the public key, in PEM, by which the owner of the population register signs each file: Ed25519 or ECDSA. Without it
	// no signature is asked for; with it a file that is not signed is refused.
	RegisterKeyFile string `env:"IDP_REGISTER_KEY_FILE"`

	// DeskAddress is told in the message to somebody whose identifier was blocked for security: a street or a short number, 22 characters at
	// most. Without it the message names the issuing service alone.
	DeskAddress string `env:"IDP_DESK_ADDRESS"`

	// PlacesFile is a file of the places of addresses in MaxMind's format, a city or a country to each (GeoLite2-City, DB-IP City Lite): from
	// it people are told approximately where somebody signed in. None by default: then no places are told. It is read at the start.
	PlacesFile string `env:"IDP_PLACES_FILE"`

	// StopNotice is how long /readyz says 503 at a stop before the listeners close, so that a load balancer has looked away by then.
	StopNotice time.Duration `env:"IDP_STOP_NOTICE" envDefault:"0s"`

	// Hashers is how many passwords are hashed at once, two at least; each takes a core and the memory that is settled
	// (password.cost), 19 MiB and some 50 ms where nothing else is. One of several lanes counts as that many. 0 means one a core.
	// They are hashed in a child process (idp hash), so that no other request waits for them.
	Hashers int `env:"IDP_HASHERS" envDefault:"0"`

	// Relaxed lifts the limits on attempts, SMS and clients, and lets keys rotate at once. For trials only; the log says so at every
	// start.
	Relaxed bool `env:"IDP_RELAXED" envDefault:"false"`

	// AllowLoopbackFetch lets idp call addresses on this machine that clients name, their jwks_uri for one, by plain http too. For
	// trials only.
	AllowLoopbackFetch bool `env:"IDP_ALLOW_LOOPBACK_FETCH" envDefault:"false"`
}
