// Package foreign tries the provider with clients that nobody here wrote: coreos/go-oidc, zitadel/oidc, openid-client,
// oauth2-proxy and mod_auth_openidc, each as its own manual has it. It runs the built demo as a child and speaks to it as
// strangers do: by the management API, the pages, and what the workbench tells of phones.
//
// Every client tells one story. A person signs in; the client verifies the ID token, asks for claims, and refreshes; the
// keys rotate; what was signed before still verifies, and so does what is signed now; the person signs out.
//
// It is a module of its own, so that none of these clients is a dependency of the product. Run it by .ci/foreign/run.
package foreign
