package wiretest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

var opLiteral = regexp.MustCompile(`rpc\.Op\{Action: "(\w+)"([^\n]*)\}, (?:req|nil), new`)

// Promises are what the generated code says of the responses of an operation.
type Promises struct {
	Proof   []string // groups of fields, one of each is never empty: "A.B|C"
	Verdict bool
}

// PromisesOf reads the generated files of a service.
func PromisesOf(t testing.TB, service string) map[string]Promises {
	t.Helper()
	files, err := filepath.Glob("../" + service + "/zz_*.go")
	require.NoError(t, err)
	out := map[string]Promises{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range opLiteral.FindAllStringSubmatch(string(src), -1) {
			p := Promises{Verdict: strings.Contains(m[2], "Verdict: ")}
			if _, rest, ok := strings.Cut(m[2], `Proof: "`); ok {
				proof, _, _ := strings.Cut(rest, `"`)
				p.Proof = strings.Fields(proof)
			}
			out[m[1]] = p
		}
	}
	return out
}

// RunProofs sends each operation responses that are not those of a success: none
// may pass as one, and each error names the operation and its RequestId.
func RunProofs(t *testing.T, service string, open func(alimedia.Config) (any, error)) {
	catalogue := readCatalogue(t, service)
	promises := PromisesOf(t, service)
	require.Len(t, promises, len(catalogue.Operations))
	client := func(t *testing.T, response []byte) any {
		return connect(t, func(cfg alimedia.Config) (any, error) {
			cfg.Retry.MaxAttempts = 1
			return open(cfg)
		}, &recorder{response: response})
	}
	fails := func(t *testing.T, action string, response []byte) *alimedia.Error {
		t.Helper()
		method := reflect.ValueOf(client(t, response)).MethodByName(action)
		in := []reflect.Value{reflect.ValueOf(t.Context())}
		if method.Type().NumIn() == 2 {
			in = append(in, filled(method.Type().In(1), action))
		}
		out := method.Call(in)
		err, _ := out[1].Interface().(error)
		require.Error(t, err, "%s", response)
		require.True(t, out[0].IsNil(), "%s", response)
		var e *alimedia.Error
		require.ErrorAs(t, err, &e, "%s", response)
		require.Equal(t, action, e.Action)
		return e
	}
	for action, p := range promises {
		require.Equal(t, p.Verdict, len(refusals(catalogue.Operations[action])) > 0 && action != "RestoreMedia", "%s: verdict", action)
		op := catalogue.Operations[action]
		t.Run(action, func(t *testing.T) {
			if len(op.Response.Fields) > 1 { // what has more to say than a RequestId must say something
				for _, nothing := range []string{"", "null", "{}", "[]", `""`, "<html><title>ok</title></html>"} {
					fails(t, action, []byte(nothing))
				}
			}
			for _, group := range p.Proof {
				for _, empty := range []any{nil, ""} {
					response := catalogue.success(op, false)
					response["RequestId"] = "REQ-1"
					for path := range strings.SplitSeq(group, "|") {
						blank(response, strings.Split(path, "."), empty)
					}
					text, err := json.Marshal(response)
					require.NoError(t, err)
					e := fails(t, action, text)
					require.Equal(t, "REQ-1", e.RequestId)
					require.Contains(t, e.Message, strings.ReplaceAll(group, "|", " or "))
				}
			}
			if p.Verdict {
				for _, no := range refusals(op) {
					text, err := json.Marshal(no)
					require.NoError(t, err)
					e := fails(t, action, text)
					require.Equal(t, "REQ-1", e.RequestId)
					require.Equal(t, fmt.Sprint(no["want"]), e.Code)
				}
			}
		})
	}
}

// blank empties what stands at a path of an answer: with nil it is absent.
func blank(node any, path []string, with any) {
	switch v := node.(type) {
	case []any:
		for _, member := range v {
			blank(member, path, with)
		}
	case map[string]any:
		for key, member := range v { // Go names differ from those of the wire by their case
			switch {
			case !strings.EqualFold(key, path[0]):
			case len(path) > 1:
				blank(member, path[1:], with)
			case with == nil:
				delete(v, key)
			default:
				v[key] = with
			}
		}
	}
}

// refusals are responses of status 200 in which an operation says that it failed,
// with the code that the error must have under the key "want".
func refusals(op Operation) (all []map[string]any) {
	for _, f := range op.Response.Fields {
		no := map[string]any{"RequestId": "REQ-1", "want": "Bad.Code", "Code": "Bad.Code", "Message": "not today"}
		switch f.Name + " " + f.Type {
		case "Success string", "Success bool":
			for _, value := range []any{false, "false", "False"} {
				no["Success"] = value
				all = append(all, copied(no))
			}
		case "Result bool":
			no["Result"], no["ErrorCode"] = false, "Bad.Code"
			delete(no, "Code")
			all = append(all, copied(no), copied(no))
			all[len(all)-1]["Result"] = "false"
		case "RetCode int32", "Retcode int32":
			delete(no, "Code")
			delete(no, "Message")
			no[f.Name], no["Description"], no["want"] = 1003, "not today", "1003"
			all = append(all, copied(no), copied(no))
			all[len(all)-1][f.Name] = "1003"
		case "StatusCode int64":
			delete(no, "Code")
			no["StatusCode"], no["want"] = 500, "500"
			all = append(all, copied(no))
		}
	}
	return all
}

func copied(m map[string]any) map[string]any { return maps.Clone(m) }
