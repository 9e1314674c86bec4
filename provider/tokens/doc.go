// Package tokens makes what the provider hands out, and reads it again when it comes back.
//
//	code, refresh token,  opaque: the grant's id, chance, and a tag that tells our own from garbage without asking a
//	device code           database; stored as a digest only                                              Opaque
//	access token          a JWT (RFC 9068), ES256, stored nowhere                                         Maker.Access
//	ID token              a JWT (OpenID Connect Core §2), signed as the client is registered              Maker.ID
//	UserInfo, signed      a JWT (OpenID Connect Core §5.3.2), for a client that is registered so             Maker.UserInfo
//	introspection         a JWT (RFC 9701), signed as the resource server is registered                    Maker.Introspection
//	signed answer         a JWT (JARM §2.1), to an authorization request, signed as the client likes      Maker.Response
//
// It needs the ring of keys and knows nothing of requests, people or stores.
package tokens
