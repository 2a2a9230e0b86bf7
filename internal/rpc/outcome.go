package rpc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// outcome reads what an answer of status 200 says of the success of its
// operation, and whether it says no. The families of operations say it in
// different fields: Success with Code and Message, Result with ErrorCode, RetCode
// with Description, StatusCode with Message.
func outcome(document []byte) (envelope, bool) {
	e, _ := readEnvelope(document)
	if e.saysNo() {
		return e, true
	}
	var said struct{ Result, RetCode, StatusCode, HttpStatusCode json.RawMessage }
	if json.NewDecoder(bytes.NewReader(document)).Decode(&said) != nil {
		return e, false
	}
	if success, ok := boolean(plainText(said.Result)); ok && !success {
		return e, true
	}
	for _, number := range []struct {
		text  string
		worst int // what is beyond it is a failure
	}{{plainText(said.RetCode), 0}, {plainText(said.StatusCode), http.StatusBadRequest - 1}, {plainText(said.HttpStatusCode), http.StatusBadRequest - 1}} {
		if n, err := strconv.Atoi(number.text); err == nil && (n > number.worst || n < 0) {
			e.Code, e.Message = cmp.Or(e.Code, number.text), cmp.Or(e.Message, e.Description)
			return e, true
		}
	}
	return e, false
}

// plainText is a number, a boolean or a string of JSON without its quotes.
func plainText(raw json.RawMessage) string { return strings.TrimSpace(strings.Trim(string(raw), `"`)) }
