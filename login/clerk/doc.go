// Package clerk keeps the staff: people with an identifier like any other, who
// have an office and a role as well. Two realms of staff, and neither can read a
// citizen's password: the issuing service acts at the desk, the operator keeps
// the system.
//
//	             serve   supervise   oversee   inspect   appoint   secure   judge   settle   import
//	clerk          ×
//	supervisor     ×         ×                    ×
//	operator                 ×          ×                   ×        ×       ×        ×        ×
//	auditor                  ×          ×         ×
//
// Who serves does so with a sign-in by more than a password, by a passkey as soon
// as they have one, or is named by a desk's system. A clerk who was removed, or whose identifier is blocked, is
// nobody from that moment on.
package clerk
