package rpc

import "github.com/alimedia/alimedia-go"

// Class says what repeating an operation does. It decides which failures are
// retried, see retry.go.
type Class uint8

const (
	Unsafe     Class = iota // repeating may do the thing twice
	Read                    // changes nothing
	Idempotent              // a write that changes nothing the second time
	Tokened                 // a write that the service recognises by its ClientToken
)

// Op is what the wire needs to know of an operation besides its parameters.
type Op struct {
	Action    string
	Class     Class
	UnsafeIf  string // bool field that makes an Idempotent operation Unsafe when true
	Get       bool   // sent by GET
	Anonymous bool   // sent unsigned
	Regions   string // where it is offered, blank separated; empty: everywhere
	OneOf     string // groups of which at least one field is needed: "MediaId|InputURL A|B"

	// Proof names what every successful response has, such as the id of what was
	// made: groups separated by blanks, each of which needs one of its fields,
	// "UploadAddress UploadAuth" or "JobId|JobIds". Names are those of
	// the Go fields. A dot leads into a structure, or into the elements of a
	// list, one of which must have it: "Job.JobId", "UploadJobs.JobId". An empty
	// string, list or structure and the number 0 prove nothing. A response
	// without its proof is an error.
	Proof string

	// Verdict names the member by which a response of status 200 says that the
	// operation failed: Success or Result (false), RetCode (not 0), StatusCode
	// or HttpStatusCode (400 and more). Code and Message say why. A response
	// without the member does not say so.
	Verdict string

	// Check holds the rules that tags cannot say.
	Check func(req any) []alimedia.Violation
}
