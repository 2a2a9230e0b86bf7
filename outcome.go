package alimedia

import "errors"

// ErrOutcomeUnknown means that a call may have taken effect: a request that
// changes something was sent, and no response proves its outcome. Check the state
// of the resource before you repeat the call.
//
// The error also matches if the service rejected a later attempt of the same
// call: the rejection says nothing about the earlier attempts.
var ErrOutcomeUnknown = errors.New("the operation may have been carried out")
