// Package localpg is a private PostgreSQL: a child of this process, on a unix
// socket in a directory that nobody else can enter.
package localpg
