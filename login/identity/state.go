package identity

import "errors"

// ErrState says that the act is not allowed in the identifier's present state.
var ErrState = errors.New("not allowed in this state")

// State of an identifier. The life is drawn in doc.go.
type State string

// States; None is for people in the register who have no identifier.
const (
	None      State = "none"
	Temporary State = "temporary"
	Active    State = "active"
	Blocked   State = "blocked"
)

// BlockReason decides who may lift a block.
type BlockReason string

// Reasons.
const (
	Self     BlockReason = "self"     // the citizen refused to use the identifier (resolution 792 ¶6)
	Desk     BlockReason = "desk"     // the same by written application (¶6)
	Register BlockReason = "register" // death, declared dead, missing (order 82 p. 10)
	Security BlockReason = "security" // the operator suspects a takeover
)

// A Stance is a state and, where it is Blocked, for what reason, in one word: concat_ws(':', state, block_reason).
type Stance string

// Stances in which the citizen has something to prove himself for.
const (
	InUse       = Stance(Active)
	BlockedSelf = Stance(Blocked) + ":" + Stance(Self)
)

const (
	temporary       = Stance(Temporary)
	blockedDesk     = Stance(Blocked) + ":" + Stance(Desk)
	blockedRegister = Stance(Blocked) + ":" + Stance(Register)
	blockedSecurity = Stance(Blocked) + ":" + Stance(Security)
)

// A deed is a kind of act upon an identifier.
type deed string

const (
	reissue        deed = "reissue"
	expire         deed = "expire"
	activate       deed = "activate"
	changePassword deed = "change password"
	recovery       deed = "recover"
	changePhone    deed = "change phone"
	blockSelf      deed = "block by self"
	blockDesk      deed = "block by desk"
	blockSecurity  deed = "block by security"
	deactivate     deed = "deactivate"
	restore        deed = "restore"
	unblock        deed = "unblock"
	unblockSelf    deed = "unblock by self"
)

// allowed is the whole life of an identifier after its assignment, drawn in
// doc.go: where each deed may begin. Every UPDATE of a state is held to it by
// its WHERE, so that nobody reads, thinks and then writes over another's act.
var allowed = map[deed][]Stance{
	reissue:        {temporary},
	expire:         {temporary},
	activate:       {temporary},
	changePassword: {InUse},
	recovery:       {InUse},
	changePhone:    {temporary, InUse},
	blockSelf:      {InUse},
	blockDesk:      {temporary, InUse},
	blockSecurity:  {temporary, InUse},
	deactivate:     {temporary, InUse, BlockedSelf}, // or the citizen would come back without the desk
	restore:        {blockedRegister},
	unblock:        {BlockedSelf, blockedDesk, blockedSecurity},
	unblockSelf:    {BlockedSelf},
}
