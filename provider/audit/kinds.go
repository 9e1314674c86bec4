package audit

import (
	"errors"
	"slices"
)

// ErrKind says that nothing of a kind ever happens.
var ErrKind = errors.New("no such kind of event")

// ParseKind reads one of the kinds.
func ParseKind(s string) (Kind, error) {
	if k := Kind(s); slices.Contains(Kinds, k) {
		return k, nil
	}
	return "", ErrKind
}

// Kinds are all of them.
var Kinds = []Kind{
	EditionApplied, PeopleMissing, EditionWaits, EditionReleased, EditionRefused, EditionWithdrawn, PersonChanged, JoinRefused, IssuanceOpened, IssuancePending,
	IssuanceWithdrawn, PhoneChangeOpened, UnblockOpened, ReissueOpened, PhoneConfirmed, PhoneChanged, PhoneChangeAsked, PhoneChangeDropped,
	PhoneReleased, IdentifierIssued, PasswordReissued, IdentifierActivated, PasswordChanged, PasswordRecovered, RecoveryRefused, PasskeyAdded,
	PasskeyRemoved, AuthenticatorAdded, AuthenticatorGone, RecoveryCodesMade, RecoveryCodesGone, RecoveryCodeUsed, IdentifierBlocked,
	IdentifierUnblocked, SignedIn, SignInRefused, SignedOut, BrowserForgotten, SessionsEnded, CodeSent, CodeWithheld, GrantGiven, GrantEnded,
	TokenExchanged, AgreementGiven, AgreementWithdrawn, ClientRegistered, ClientChanged, ClientSecretRotated, RegistrationRevoked,
	ClientDisabled, ClientEnabled, ClientRemoved, ClientProposed, ClientApproved, ClientRefused, ClientWithdrawn, BodyAdded,
	RepresentativeNamed, RepresentativeGone, InitialTokenIssued, InitialTokenRevoked, KeyCreated, KeyActivated, KeyRetired, KeyGone,
	KeyDestroyed, ClerkAdded, ClerkMoved, ClerkRemoved, DeskRefused, DeskLookedUp, DeskAlerted, BlockProposed, BlockApproved, BlockRefused,
	BlockDropped, RestorationProposed, RestorationApproved, RestorationUndone, RestorationRefused, RestorationDropped, PaperKept, PaperRead, TrailRead,
	PolicyProposed, PolicyApproved, PolicyRefused, AuditDropped,
}
