// Package search builds the expressions of SearchMedia, for the Match parameter
// of packages ice and vod.
//
//	match, err := search.And(
//		search.Eq("Title", title),
//		search.In("Status", "Normal", "Uploading"),
//		search.Range("CreationTime", from, to),
//	).Match()
//
// The package quotes and checks every value, so that text from outside stays a
// value. The reference documents no escape inside a quoted text. Match therefore
// returns [ErrValue] for a text with both kinds of quotes, a backslash or a
// control character.
//
// # Syntax
//
// A condition has a field, an operator and a value. The two services share the
// syntax, but not the operators and fields:
//
//	              ICE                        VOD
//	exact         [Exact]  field == 'a'      [Eq]    field = 'a'
//	contains      [Eq]     field = 'a'       [Eq]    field = 'a', where the field supports it
//	any of        [AnyOf]  field = ('a','b') [In]    field in ('a','b')
//	range         [Range]  field = ['1','2') [Range] field = ['1','2')
//
// [And] joins conditions that must all hold, and [Or] those of which one must
// hold. A range has its lower bound and not its upper bound.
//
// # Fields of ICE
//
// Exact: mediaId, cateId (number), status (number), mediaType (video, image or
// audio), fileInfo.storageLocation, aiLabelInfo.category and
// aiLabelInfo.label_id. Contains, with a text of at most 60 characters: title,
// description and ocrInfo.tracks.content. Any of: tagList, status, mediaType and
// fileInfo.storageLocation. Range: utcCreate and utcModified, times in
// milliseconds. The values of status are 0 (created), 1 (preparing), 2 (failed),
// 3 (normal), 10 (uploading), 12 (uploaded), 13 (transcoding), 14 (transcoding
// failed), 15 (in review), 16 (rejected), 17 (deleted) and 18 (upload failed).
//
// # Fields of VOD
//
// Among others: VideoId, ImageId, Title, Tags, Description, CateId (number),
// CateName, Status, StorageLocation, ReferenceId, CreationTime and
// ModificationTime, times in UTC.
//
// https://www.alibabacloud.com/help/en/ims/developer-reference/media-asset-search-filter-description
// https://www.alibabacloud.com/help/en/vod/developer-reference/protocol-for-media-asset-search
package search

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var (
	// ErrValue means that the syntax cannot express a value.
	ErrValue = errors.New("search: a text with both kinds of quotes, a backslash or a control character cannot be expressed")

	// ErrField means that a field name has other characters than letters, digits,
	// dots and underscores.
	ErrField = errors.New("search: invalid field name")

	// ErrEmpty means that a text, a list or a group is empty.
	ErrEmpty = errors.New("search: empty text, list or group")
)

// Value is the type of a value. A time is written in UTC with seconds, or in
// milliseconds for a field whose name begins with utc.
type Value interface {
	~string | ~int | ~int32 | ~int64 | ~float64 | time.Time
}

// Expression is a search expression. Expressions are immutable and safe for
// concurrent use. The zero Expression matches everything: And leaves it out.
type Expression struct {
	text string
	kind kind
	err  error
}

type kind int

const (
	nothing kind = iota
	condition
	conjunction
	disjunction
)

// Match returns the expression in the syntax of the services, or the first error
// of its parts: [ErrValue], [ErrField] or [ErrEmpty].
func (e Expression) Match() (string, error) { return e.text, e.err }

// Eq is the condition that the field equals the value or, for a field that
// supports only that, contains it.
func Eq[V Value](field string, value V) Expression {
	return compare(field, " = ", quoting{}, value)
}

// Ne is the condition that the field does not equal the value.
func Ne[V Value](field string, value V) Expression {
	return compare(field, " != ", quoting{}, value)
}

// Exact is the condition that the field equals the value, for ICE.
func Exact[V Value](field string, value V) Expression {
	return compare(field, " == ", quoting{numbers: true}, value)
}

// In is the condition that the field has one of the values, for VOD.
func In[V Value](field string, values ...V) Expression {
	return list(field, " in ", quoting{}, values)
}

// AnyOf is the condition that the field has one of the values, for ICE. For a
// field of type time or number that supports ranges, ICE reads two values as a
// range.
func AnyOf[V Value](field string, values ...V) Expression {
	return list(field, " = ", quoting{numbers: true}, values)
}

// Range is the condition that the field is at least from and less than to.
func Range[V Value](field string, from, to V) Expression {
	q := quoting{numbers: isUTC(field)}
	return bounded(field, '[', q.text(field, from), q.text(field, to))
}

// From is the condition that the field is at least from.
func From[V Value](field string, from V) Expression {
	q := quoting{numbers: isUTC(field)}
	return bounded(field, '[', q.text(field, from), literal{})
}

// Before is the condition that the field is less than to.
func Before[V Value](field string, to V) Expression {
	q := quoting{numbers: isUTC(field)}
	return bounded(field, '(', literal{}, q.text(field, to))
}

// And is the condition that all parts hold. Without parts it matches everything.
func And(parts ...Expression) Expression { return join(" and ", conjunction, parts) }

// Or is the condition that one of the parts holds. It needs at least one part,
// and a part that matches everything is [ErrEmpty].
func Or(parts ...Expression) Expression {
	if len(parts) == 0 {
		return Expression{err: ErrEmpty}
	}
	for _, p := range parts {
		if p.kind == nothing && p.err == nil {
			return Expression{err: ErrEmpty}
		}
	}
	return join(" or ", disjunction, parts)
}

func join(word string, as kind, parts []Expression) Expression {
	texts := make([]string, 0, len(parts))
	var single Expression
	for _, p := range parts {
		if p.err != nil {
			return p
		}
		if p.kind == nothing {
			continue
		}
		single = p
		text := p.text
		if p.kind != condition && p.kind != as {
			text = "(" + text + ")"
		}
		texts = append(texts, text)
	}
	switch len(texts) {
	case 0:
		return Expression{}
	case 1:
		return single
	}
	return Expression{text: strings.Join(texts, word), kind: as}
}

func compare[V Value](field, operator string, q quoting, value V) Expression {
	v := q.text(field, value)
	if v.err != nil {
		return Expression{err: v.err}
	}
	return newCondition(field, operator+v.text)
}

func list[V Value](field, operator string, q quoting, values []V) Expression {
	if len(values) == 0 {
		return Expression{err: fmt.Errorf("%w: %q has no values", ErrEmpty, field)}
	}
	texts := make([]string, len(values))
	for i, value := range values {
		v := q.text(field, value)
		if v.err != nil {
			return Expression{err: v.err}
		}
		texts[i] = v.text
	}
	return newCondition(field, operator+"("+strings.Join(texts, ",")+")")
}

func bounded(field string, open byte, from, to literal) Expression {
	if err := errors.Join(from.err, to.err); err != nil {
		return Expression{err: err}
	}
	return newCondition(field, " = "+string(open)+from.text+","+to.text+")")
}

func newCondition(field, rest string) Expression {
	if !isField(field) {
		return Expression{err: fmt.Errorf("%w: %.64q", ErrField, field)}
	}
	return Expression{text: field + rest, kind: condition}
}

func isField(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r != '.' && (r < '0' || '9' < r)) {
			return false
		}
	}
	switch strings.ToLower(name) {
	case "", "and", "or", "in", "not":
		return false
	}
	return len(name) <= 128
}

func isUTC(field string) bool { return strings.HasPrefix(field, "utc") }

// literal is a value as it is written.
type literal struct {
	text string
	err  error
}

// quoting says which values have quotes besides texts and times.
type quoting struct{ numbers bool }

func (q quoting) text(field string, value any) literal {
	if t, ok := value.(time.Time); ok {
		if isUTC(field) {
			return quoted(strconv.FormatInt(t.UnixMilli(), 10))
		}
		return quoted(t.UTC().Format("2006-01-02T15:04:05Z"))
	}
	switch v := reflect.ValueOf(value); { // also of a named type
	case v.CanInt():
		return q.number(strconv.FormatInt(v.Int(), 10))
	case v.CanFloat():
		return q.number(strconv.FormatFloat(v.Float(), 'f', -1, 64))
	default:
		return quoted(v.String())
	}
}

func (q quoting) number(text string) literal {
	if text == "NaN" || strings.HasSuffix(text, "Inf") {
		return literal{err: fmt.Errorf("%w: %s", ErrValue, text)}
	}
	if q.numbers {
		return quoted(text)
	}
	return literal{text: text}
}

// quoted writes a text in the kind of quotes that it does not have.
func quoted(text string) literal {
	if text == "" {
		return literal{err: ErrEmpty}
	}
	quote := "'"
	if strings.Contains(text, "'") {
		quote = `"`
	}
	if strings.Contains(text, quote) || strings.Contains(text, `\`) || strings.ContainsFunc(text, unicode.IsControl) {
		return literal{err: ErrValue}
	}
	return literal{text: quote + text + quote}
}
