// Package throttle limits tries: who tries too often waits, and is told how long.
//
// Where a limit has pauses, the wait grows from try to try. It owns short windows in Redis. They may be lost: then the counting starts anew.
// It never changes an identifier's state and leaves no record: waiting is not a block.
// Whoever counts must count alike for numbers that exist and numbers that do not;
// then "wait" may be said openly.
package throttle
