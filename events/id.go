package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Id identifies the event, for idempotency: store it in a column with a unique
// constraint, in the transaction that handles the event. It is the SHA-256 of the
// message in a canonical form, as 64 hexadecimal digits.
//
// An event has the same Id each time it is delivered: under a new signature, over
// HTTP or a queue, in Base64 or not, with its members in another order, with other
// white space, with a number or a character in another notation, and with its
// MessageBody as an object or as a string that contains it. Every other difference
// makes another Id. That includes the EventTime, the JobId, the Status and the
// stream, so that two streams of one video or two states of one job have different
// Ids. The services give events no identifier of their own: two events whose
// messages are equal in everything have one Id.
//
// Id computes the hash from Raw on each call. It is empty if Raw is.
func (e Event) Id() string {
	if e.Raw == "" {
		return ""
	}
	sum := sha256.Sum256(canonical([]byte(e.Raw)))
	return hex.EncodeToString(sum[:])
}

// canonical is the same text for messages that say the same.
func canonical(message []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, message) != nil {
		return message
	}
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	var top map[string]any
	if !utf8.Valid(message) || d.Decode(&top) != nil {
		return compact.Bytes() // only its white space is of no account
	}
	for name, value := range top {
		text, ok := value.(string)
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "MessageBody") {
			continue
		}
		inner := json.NewDecoder(strings.NewReader(text))
		inner.UseNumber()
		var body map[string]any
		if json.Valid([]byte(text)) && inner.Decode(&body) == nil && body != nil {
			top[name] = body
		}
	}
	text, err := json.Marshal(plainNumbers(top)) // sorts the members
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		// Characters that cannot be decoded are all alike after decoding.
		return compact.Bytes()
	}
	return text
}

// plainNumbers writes all numbers in one notation. It changes v.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = plainNumbers(value)
		}
	case []any:
		for i, value := range v {
			v[i] = plainNumbers(value)
		}
	case json.Number:
		return plainNumber(v)
	}
	return v
}

// plainNumber writes a number as an integer without trailing zeros and a power of
// ten: 1500, 1500.0 and 1.5e3 are 15e2. It loses no digit.
func plainNumber(number json.Number) json.Number {
	mantissa, power, _ := strings.Cut(strings.ToLower(string(number)), "e")
	exponent, err := strconv.Atoi(strings.TrimPrefix(power, "+"))
	if err != nil && power != "" || exponent > 1<<30 || exponent < -1<<30 {
		return number
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	switch {
	case trimmed == "":
		return "0"
	case negative:
		trimmed = "-" + trimmed
	}
	return json.Number(trimmed + "e" + strconv.Itoa(exponent))
}
