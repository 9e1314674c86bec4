// Package throttle limits tries: who tries too often waits, and is told how long.
//
// Where a limit has pauses, the wait grows from try to try. It owns short windows in Redis. They may be lost: then the counting starts anew.
// It never changes an identifier's state and leaves no record: waiting is not a block.
// Whoever counts must count alike for numbers that exist and numbers that do not;
// then "wait" may be said openly.
//
// A wait is no promise: whoever asks from elsewhere at its end may come first, and places are not kept for those who wait, because one costs a
// guesser with many networks no more than a try, and he would have them all before a person came. So nothing that somebody must be able to do
// rests on one limit that strangers share: beside it stands another, of their own browser's or network's, or of another proof (limits, in login).
package throttle
