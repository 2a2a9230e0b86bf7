package alimedia

import "errors"

// ErrOutcomeUnknown is in the chain of the error of a call that may have been
// carried out: a request that changes something was sent, and no answer proved
// what became of it. Look for its effect before you make the call again.
//
// A later attempt of the same call that the service refused does not take it
// away: the refusal says nothing about the attempts before it.
var ErrOutcomeUnknown = errors.New("the operation may have been carried out")
