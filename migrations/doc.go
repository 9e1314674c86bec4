// Package migrations brings the two databases to the schema that this build
// needs: idp for the provider, cabinet for the cabinet.
//
// Migrations only go forward. Code runs before a migration, after it, and while
// two replicas differ; therefore statements list their columns.
package migrations
