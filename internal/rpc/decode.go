package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
)

const (
	// Decoding a response takes at most decodeBase bytes of memory and
	// decodeFactor more for each byte of the response. Elements of the services'
	// lists are up to 1.5 KB in memory and hardly below 100 bytes in JSON.
	decodeBase   = 16 << 20
	decodeFactor = 16

	maxLost  = 20 // fields that did not fit and are named
	maxTurns = 8  // conversions within each other, such as JSON in a string in a list
)

var (
	errNotJSON  = errors.New("the response is not JSON")
	errTooLarge = errors.New("the response needs too much memory for its length")
)

// Decode reads a response into out, a pointer. What fits is kept: a field whose
// value has another form is converted where nothing is lost by it, and stays
// zero otherwise. The conversions are:
//
//   - numbers, strings and booleans into each other; "" is zero; a fraction is
//     cut off where an integer is asked for; a number other than 0 is true;
//   - a list, object or scalar sent as JSON text in a string;
//   - one element where a list is asked for, and a list of one element where
//     an element is; text with commas where a list of IDs or tags is, and the
//     reverse;
//   - a list where an object is asked for that has nothing but this list, and
//     the reverse;
//   - the JSON text of an object or list where free text is asked for.
//
// Numbers in values of type any are json.Number and keep all digits. Of a key
// that is there twice the last one counts; an exact name wins over one in
// another case.
//
// Only text that is not JSON, a value that as a whole does not fit and an
// response that would take memory out of proportion are errors. They carry no
// text of the response.
func Decode(body []byte, out any) error {
	d := decoder{body: body}
	if err := d.decode(out); err != nil {
		return err
	}
	if d.lostAll {
		return fmt.Errorf("a JSON %s does not fit %s", kindName(d.src), reflect.TypeOf(out).Elem())
	}
	return nil
}

// withoutBOM drops the byte order mark and white space around a response.
func withoutBOM(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
}

// firstValue returns the JSON value that body begins with, and whether text
// follows it.
func firstValue(body []byte) (value []byte, more bool, err error) {
	body = withoutBOM(body)
	if json.Valid(body) {
		return body, false, nil
	}
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		s := scanner{src: body}
		if s.skip() && json.Valid(body[:s.at]) {
			return body[:s.at], true, nil
		}
	}
	if len(body) == 0 || !strings.ContainsRune(`{["-0123456789tfn`, rune(body[0])) {
		return nil, false, errNotJSON
	}
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(body, new(json.RawMessage)), &syntax) {
		return nil, false, fmt.Errorf("%w: syntax error at byte %d", errNotJSON, syntax.Offset)
	}
	return nil, false, errNotJSON
}

// decoder reads one document, which json.Valid has accepted.
type decoder struct {
	scanner
	body   []byte // as given
	budget int64  // bytes of memory that are left
	turns  int    // conversions that the value at the scanner is in
	path   []pathStep

	lost     []string // paths of fields that did not fit, at most maxLost
	losses   int      // all of them
	lostAll  bool     // the document itself does not fit
	trailing bool     // text follows the document
	foreign  bool     // the document has members of an error document that the result does not have
	known    int      // keys of the document that the result has
}

// pathStep is one part of a path: a name, or an index where there is none.
type pathStep struct {
	name  string
	index int
}

func (d *decoder) decode(out any) (err error) {
	if d.src, d.trailing, err = firstValue(d.body); err != nil {
		return err
	}
	d.budget = decodeBase + decodeFactor*int64(len(d.body))
	if err := checkResult(out); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r == errTooLarge {
			err = errTooLarge
		} else if r != nil {
			panic(r)
		}
	}()
	v := resultOf(out)
	v.SetZero()
	d.value(v, shapeOf(v.Type()), &noField)
	return nil
}

// charge counts memory and ends the decoding when it is too much.
func (d *decoder) charge(bytes int64) {
	if d.budget -= bytes; d.budget < 0 {
		panic(errTooLarge)
	}
}

// lose leaves out the value at start.
func (d *decoder) lose(start int) {
	d.at = start
	d.skip()
	d.losses++
	if len(d.path) == 0 {
		d.lostAll = true
	}
	d.name()
}

// name adds the path to those that are named.
func (d *decoder) name() {
	if len(d.lost) >= maxLost {
		return
	}
	var b strings.Builder
	for i, s := range d.path {
		switch {
		case s.name == "":
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	if path := b.String(); len(d.lost) == 0 || d.lost[len(d.lost)-1] != path {
		d.lost = append(d.lost, path)
	}
}

// value reads the value at the scanner into v, which is zero. f is the field
// that v is or is an element of.
func (d *decoder) value(v reflect.Value, s *shape, f *responseField) {
	start, c := d.at, d.src[d.at]
	if c == 'n' && s.kind != anyShape && s.kind != otherShape {
		d.at += len("null")
		return
	}
	switch s.kind {
	case anyShape:
		if free := d.free(); free != nil {
			v.Set(reflect.ValueOf(free))
		}
	case jsonShape:
		if c == '"' {
			v.SetString(d.text())
		} else {
			v.SetString(string(d.raw()))
		}
	case otherShape:
		if err := json.Unmarshal(d.raw(), v.Addr().Interface()); err != nil {
			v.SetZero()
			d.lose(start)
		}
	case pointerShape:
		d.charge(s.elem.size)
		v.Set(reflect.New(s.typ.Elem()))
		before := d.losses
		d.value(v.Elem(), s.elem, f)
		if d.losses > before && v.Elem().IsZero() {
			v.SetZero()
		}
	case structShape:
		d.structure(v, s, f)
	case listShape:
		d.list(v, s, f)
	case mapShape:
		d.mapping(v, s, f)
	default:
		d.scalar(v, s, f)
	}
}

// structure reads into a struct.
func (d *decoder) structure(v reflect.Value, s *shape, f *responseField) {
	start := d.at
	switch d.src[d.at] {
	case '{':
		if d.fields(v, s) == 0 && s.only != nil && s.only.shape.elem.kind == structShape && d.knows(start, s.only.shape.elem) {
			end := d.at
			d.at = start // the only element, without its list
			d.list(s.only.of(v), s.only.shape, s.only)
			d.at = end
		}
	case '[':
		switch n := d.count(2); {
		case n == 0:
			d.skip()
		case s.only != nil:
			d.list(s.only.of(v), s.only.shape, s.only)
		case n == 1:
			d.single(v, s, f)
		default:
			d.lose(start)
		}
	case '"':
		switch text := strings.TrimSpace(d.text()); {
		case text == "" || d.inner(text, func() { d.value(v, s, f) }):
		case s.only != nil:
			d.at = start
			d.list(s.only.of(v), s.only.shape, s.only)
		default:
			d.lose(start)
		}
	default:
		if s.only != nil {
			d.list(s.only.of(v), s.only.shape, s.only)
			return
		}
		d.lose(start)
	}
}

// fields reads an object into a struct and returns how many of its keys the
// struct knows.
func (d *decoder) fields(v reflect.Value, s *shape) (known int) {
	var seen, exact bits
	top := len(d.path) == 0
	d.path = append(d.path, pathStep{})
	for more := d.open(); more; more = d.next() {
		key := d.key()
		f, isExact := s.find(key)
		if f == nil {
			d.foreign = d.foreign || top && isErrorMember(key)
			d.skip()
			continue
		}
		known++
		if !isExact && exact.has(f.number) {
			d.skip()
			continue
		}
		v := f.of(v)
		if seen.has(f.number) {
			v.SetZero()
		}
		seen.add(f.number)
		if isExact {
			exact.add(f.number)
		}
		d.path[len(d.path)-1].name = f.name
		d.value(v, f.shape, f)
	}
	d.path = d.path[:len(d.path)-1]
	if top {
		d.known = known
	}
	return known
}

// isErrorMember reports whether a key is one that error documents have.
func isErrorMember(key []byte) bool {
	switch len(key) {
	case len("Code"):
		return strings.EqualFold(string(key), "Code")
	case len("HostId"):
		return strings.EqualFold(string(key), "HostId")
	case len("ErrorCode"):
		return strings.EqualFold(string(key), "ErrorCode")
	}
	return false
}

// empty reports whether the document is an object with nothing in it.
func (d *decoder) empty() bool {
	s := scanner{src: d.src}
	return !s.open()
}

// knows reports whether the object at start has a key of the struct.
func (d *decoder) knows(start int, s *shape) bool {
	look := scanner{src: d.src, at: start}
	for more := look.open(); more; more = look.next() {
		key := look.key()
		if f, _ := s.find(key); f != nil {
			return true
		}
		look.skip()
	}
	return false
}

// list reads into a slice.
func (d *decoder) list(v reflect.Value, s *shape, f *responseField) {
	start := d.at
	switch d.src[d.at] {
	case '[':
		d.elements(v, s, f)
	case '{':
		d.unwrapped(v, s, f)
	case '"':
		text := d.text()
		trimmed := strings.TrimSpace(text)
		switch {
		case trimmed == "" || d.inner(trimmed, func() { d.value(v, s, f) }):
		case f.commas && s.elem.kind == stringShape && strings.Contains(text, ","):
			for part := range strings.SplitSeq(text, ",") {
				if part = strings.TrimSpace(part); part != "" {
					d.grow(v, s)
					v.Index(v.Len() - 1).SetString(part)
				}
			}
		case s.elem.scalar():
			d.element(v, s, f, start)
		default:
			d.lose(start)
		}
	default:
		if s.elem.scalar() {
			d.element(v, s, f, start)
			return
		}
		d.lose(start)
	}
	if f.unfold && s.elem.kind == stringShape {
		d.unfold(v, s)
	}
}

func (d *decoder) elements(v reflect.Value, s *shape, f *responseField) {
	d.path = append(d.path, pathStep{})
	for more := d.open(); more; more = d.next() {
		d.grow(v, s)
		d.path[len(d.path)-1].index = v.Len() - 1
		d.value(v.Index(v.Len()-1), s.elem, f)
	}
	d.path = d.path[:len(d.path)-1]
	if v.IsNil() {
		v.Set(reflect.MakeSlice(s.typ, 0, 0))
	}
}

// element makes a list of the value at start.
func (d *decoder) element(v reflect.Value, s *shape, f *responseField, start int) {
	d.at = start
	d.grow(v, s)
	before := d.losses
	d.value(v.Index(0), s.elem, f)
	if d.losses > before && v.Index(0).IsZero() {
		v.SetZero()
	}
}

// unwrapped reads an object into a list: the only member of an object that
// the elements do not know is the list itself, every other object is the only
// element.
func (d *decoder) unwrapped(v reflect.Value, s *shape, f *responseField) {
	start, n := d.at, 0
	look := scanner{src: d.src, at: start}
	inner, known := 0, false
	for more := look.open(); more; more = look.next() {
		key := look.key()
		n++
		inner = look.at
		if field, _ := s.elem.find(key); field != nil {
			known = true
		}
		look.skip()
	}
	switch {
	case n == 0:
		d.skip()
	case n == 1 && !known && d.turns < maxTurns && s.elem.kind != mapShape && s.elem.kind != anyShape && s.elem.kind != jsonShape:
		d.at = inner
		d.turns++
		d.list(v, s, f)
		d.turns--
		d.at = look.at
	case !s.elem.scalar():
		d.element(v, s, f, start)
	default:
		d.lose(start)
	}
}

// grow adds a zero element.
func (d *decoder) grow(v reflect.Value, s *shape) {
	n := v.Len()
	if n == v.Cap() {
		more := max(n, 4)
		if s.elem.size > 256 {
			more = max(n, 1)
		}
		d.charge(int64(more) * s.elem.size)
		v.Grow(more)
	}
	v.SetLen(n + 1)
}

// unfold replaces each element that is a JSON list of strings by its members.
func (d *decoder) unfold(v reflect.Value, s *shape) {
	for i := range v.Len() {
		if !strings.HasPrefix(strings.TrimSpace(v.Index(i).String()), "[") {
			continue
		}
		flat := reflect.MakeSlice(s.typ, i, v.Len())
		reflect.Copy(flat, v)
		for ; i < v.Len(); i++ {
			var members []string
			text := v.Index(i).String()
			if !strings.HasPrefix(strings.TrimSpace(text), "[") || json.Unmarshal([]byte(text), &members) != nil {
				members = []string{text}
			}
			d.charge(int64(len(members)) * 2 * s.elem.size)
			flat = reflect.AppendSlice(flat, reflect.ValueOf(members).Convert(s.typ))
		}
		v.Set(flat)
		return
	}
}

// mapping reads into a map with keys of a string type.
func (d *decoder) mapping(v reflect.Value, s *shape, f *responseField) {
	start := d.at
	switch d.src[d.at] {
	case '{':
		d.charge(mapSize)
		v.Set(reflect.MakeMap(s.typ))
		d.path = append(d.path, pathStep{})
		for more := d.open(); more; more = d.next() {
			key := d.key()
			name := unquoted(key)
			d.path[len(d.path)-1].name = pathName(name)
			d.charge(mapEntry + 2*s.elem.size)
			elem, before := reflect.New(s.typ.Elem()).Elem(), d.losses
			if d.value(elem, s.elem, f); d.losses == before || !elem.IsZero() {
				v.SetMapIndex(reflect.ValueOf(name).Convert(s.typ.Key()), elem)
			}
		}
		d.path = d.path[:len(d.path)-1]
	case '[':
		switch d.count(2) {
		case 0:
			d.skip()
		case 1:
			d.single(v, s, f)
		default:
			d.lose(start)
		}
	case '"':
		if text := strings.TrimSpace(d.text()); text != "" && !d.inner(text, func() { d.value(v, s, f) }) {
			d.lose(start)
		}
	default:
		d.lose(start)
	}
}

// pathName is a key of the response as a part of a path: the text of others goes
// into logs only where it looks like a name.
func pathName(key string) string {
	if len(key) == 0 || len(key) > 64 {
		return "*"
	}
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return "*"
		}
	}
	return key
}

// scalar reads into a string, boolean or number.
func (d *decoder) scalar(v reflect.Value, s *shape, f *responseField) {
	start := d.at
	switch c := d.src[d.at]; c {
	case '[':
		d.scalarOfList(v, s, f)
	case '{':
		if s.kind == stringShape && f.free {
			v.SetString(string(d.raw()))
			return
		}
		d.lose(start)
	case '"':
		text := d.text()
		if s.kind == stringShape {
			if f.trim {
				text = strings.TrimSpace(text)
			}
			v.SetString(text)
			return
		}
		text = strings.TrimSpace(text)
		if text != "" && !setScalar(v, s, text) {
			d.lose(start)
		}
	default:
		if !setScalar(v, s, string(d.raw())) {
			d.lose(start)
		}
	}
}

// scalarOfList reads a list where a scalar is asked for.
func (d *decoder) scalarOfList(v reflect.Value, s *shape, f *responseField) {
	start := d.at
	switch n := d.count(2); {
	case n == 0:
		d.skip()
	case n == 1:
		d.single(v, s, f)
	case s.kind == stringShape && f.commas:
		parts := make([]string, 0, 8)
		for more := d.open(); more; more = d.next() {
			if c := d.src[d.at]; c == '{' || c == '[' || c == 'n' {
				parts = nil
				break
			}
			part := d.scalarText()
			if parts = append(parts, part); strings.Contains(part, ",") {
				parts = nil
				break
			}
		}
		if parts == nil {
			d.lose(start)
			return
		}
		v.SetString(strings.Join(parts, ","))
	case s.kind == stringShape && f.free:
		v.SetString(string(d.raw()))
	default:
		d.lose(start)
	}
}

// scalarText reads a string, number or boolean as text.
func (d *decoder) scalarText() string {
	if d.src[d.at] == '"' {
		return d.text()
	}
	return string(d.raw())
}

// single reads the only element of the list at the scanner.
func (d *decoder) single(v reflect.Value, s *shape, f *responseField) {
	if d.turns >= maxTurns {
		d.lose(d.at)
		return
	}
	d.turns++
	for more := d.open(); more; more = d.next() {
		d.value(v, s, f)
	}
	d.turns--
}

// inner reads JSON text that was found in a string. It reports false where
// the text is none.
func (d *decoder) inner(text string, read func()) bool {
	if c := text[0]; c != '{' && c != '[' && c != '"' || d.turns >= maxTurns || !json.Valid([]byte(text)) {
		return false
	}
	outer := d.scanner
	d.scanner = scanner{src: []byte(text)}
	d.turns++
	read()
	d.turns--
	d.scanner = outer
	return true
}

// free reads any value.
func (d *decoder) free() any {
	const boxed = 16
	switch d.src[d.at] {
	case '{':
		d.charge(mapSize + boxed)
		object := make(map[string]any)
		for more := d.open(); more; more = d.next() {
			key := d.key()
			d.charge(mapEntry + 2*boxed)
			object[unquoted(key)] = d.free()
		}
		return object
	case '[':
		d.charge(3 * boxed)
		list := []any{}
		for more := d.open(); more; more = d.next() {
			if len(list) == cap(list) {
				d.charge(int64(cap(list)+1) * boxed)
			}
			list = append(list, d.free())
		}
		return list
	case '"':
		d.charge(boxed)
		return d.text()
	case 't', 'f':
		return d.raw()[0] == 't'
	case 'n':
		d.raw()
		return nil
	default:
		d.charge(boxed)
		return json.Number(d.raw())
	}
}

// What a map takes, and each of its entries besides key and value.
const (
	mapSize  = 320
	mapEntry = 32
)

// setScalar converts the text of a scalar.
func setScalar(v reflect.Value, s *shape, text string) bool {
	switch s.kind {
	case stringShape:
		v.SetString(text)
		return true
	case boolShape:
		b, ok := boolean(text)
		v.SetBool(b)
		return ok
	case intShape:
		n, ok := integer(text)
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	case uintShape:
		n, ok := integer(text)
		if !ok || n < 0 || v.OverflowUint(uint64(n)) {
			return false
		}
		v.SetUint(uint64(n))
		return true
	case floatShape:
		n, ok := float(text, s.typ.Bits())
		v.SetFloat(n)
		return ok
	}
	return false
}

func boolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "y", "on":
		return true, true
	case "false", "no", "n", "off":
		return false, true
	}
	n, ok := float(text, 64)
	return n != 0, ok
}

// float reads a decimal number that is finite.
func float(text string, bits int) (float64, bool) {
	switch strings.ToLower(text) {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	if strings.Trim(text, "0123456789+-.eE") != "" { // Inf, NaN, 0x1p-2, 1_000
		return 0, false
	}
	n, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return 0, false
	}
	return n, true
}

// integer reads 12, "12", "12.0", 1.2e1, true and false, and cuts a fraction
// off, as the services' own clients do. No digit passes through a float.
func integer(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	if n, ok := float(text, 64); !ok {
		return 0, false
	} else if strings.Trim(text, "0123456789+-.eE") != "" || n > -1 && n < 1 {
		return int64(n), true
	}
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent, _ = strconv.Atoi(text[i+1:]) // small: the number is finite and not below 1
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+exponent
	if point > 400 || point < 0 { // leading or trailing zeros without end
		return 0, false
	}
	for len(digits) < point {
		digits += "0"
	}
	n, err := strconv.ParseInt(digits[:point], 10, 64)
	return n, err == nil
}

func kindName(value []byte) string {
	value = withoutBOM(value)
	if len(value) == 0 {
		return "value"
	}
	switch value[0] {
	case '{':
		return "object"
	case '[':
		return "list"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	}
	return "number"
}

// bits is a set of small numbers.
type bits struct {
	few  [4]uint64
	more map[int]bool
}

func (b *bits) has(n int) bool {
	if n < 64*len(b.few) {
		return b.few[n/64]&(1<<(n%64)) != 0
	}
	return b.more[n]
}

func (b *bits) add(n int) {
	if n < 64*len(b.few) {
		b.few[n/64] |= 1 << (n % 64)
		return
	}
	if b.more == nil {
		b.more = make(map[int]bool)
	}
	b.more[n] = true
}

// jsonType is text that may hold any document.
var jsonType = reflect.TypeFor[alimedia.JSON]()

// unquoted is the text between the quotes of a JSON string.
func unquoted(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw)
	}
	var text string
	quoted := append(append(append(make([]byte, 0, len(raw)+2), '"'), raw...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return ""
	}
	return text
}
