// Package hashing hashes what stands for a password (Argon2id, RFC 9106), in a process of its own.
//
// A hash takes tens of milliseconds and mebibytes, where a request takes one. In one process with requests it would hold a processor for as long as
// the runtime lets it, ten milliseconds at a time, and they would help to clear away what it leaves. Between two processes the kernel shares,
// and lets first whoever has used least; what is left is cleared away where no request waits.
//
//	idp serve ── keyed digest, and cost or hash ──► idp hash
//	          ◄── hash, or whether it fits ────────
//
// The child starts with the first hash and again whenever it was lost, and ends with its parent. It is told no secret, for what it hashes is keyed
// before, and has neither settings nor stores. How many hash at once is for whoever asks to bound (login/identity).
package hashing
