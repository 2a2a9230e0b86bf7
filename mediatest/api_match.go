package mediatest

import (
	"errors"
	"strings"
)

// The search language of both services:
//
//	title = 'cat' and (status = 'Normal' or cateId in (1,2)) and utcCreate = [1693367158561,1693367258561)
//
// A condition is a field, an operator and a value: = != == with a text or a
// number, = with an interval or a list, in and not in with a list. and binds
// closer than or. Words are read without case, fields too.

// expression is a parsed Match.
type expression interface{}

type (
	andExpression struct{ all []expression }
	orExpression  struct{ any []expression }
)

// condition is one comparison. Either values or an interval is set.
type condition struct {
	field    string // lower case
	op       string // "=", "==", "!=", "in", "not in"
	values   []string
	interval *interval
}

// interval is what lies between two bounds; an empty one is none.
type interval struct {
	from, to         string
	withFrom, withTo bool
	list             bool // written as (a,b), which also is a list of two values
}

const (
	maxMatch = 64 << 10
	maxNest  = 64
)

var errMatch = errors.New("not a search expression")

// parseMatch reads an expression; nil for an empty one.
func parseMatch(text string) (expression, error) {
	if len(text) > maxMatch {
		return nil, errMatch
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	p := &matchParser{rest: text}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, errMatch
	}
	return e, nil
}

type matchParser struct{ rest string }

func (p *matchParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take consumes a sign, if it is next.
func (p *matchParser) take(sign string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = rest
	}
	return ok
}

func isWordByte(b byte) bool {
	return b == '_' || b == '.' || b == '-' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// word consumes a bare word; empty if there is none.
func (p *matchParser) word() string {
	p.space()
	n := 0
	for n < len(p.rest) && isWordByte(p.rest[n]) {
		n++
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// keyword consumes a word, if it is next as a whole.
func (p *matchParser) keyword(name string) bool {
	before := p.rest
	if strings.EqualFold(p.word(), name) {
		return true
	}
	p.rest = before
	return false
}

func (p *matchParser) or(depth int) (expression, error) {
	return p.chain(depth, "or", p.and, func(all []expression) expression { return orExpression{all} })
}

func (p *matchParser) and(depth int) (expression, error) {
	return p.chain(depth, "and", p.unit, func(all []expression) expression { return andExpression{all} })
}

func (p *matchParser) chain(depth int, by string, part func(int) (expression, error), join func([]expression) expression) (expression, error) {
	first, err := part(depth)
	if err != nil {
		return nil, err
	}
	all := []expression{first}
	for p.keyword(by) {
		next, err := part(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, nil
	}
	return join(all), nil
}

func (p *matchParser) unit(depth int) (expression, error) {
	if depth > maxNest {
		return nil, errMatch
	}
	if p.take("(") {
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, errMatch
		}
		return e, nil
	}
	return p.condition()
}

func (p *matchParser) condition() (expression, error) {
	field := p.word()
	if field == "" || field[0] >= '0' && field[0] <= '9' {
		return nil, errMatch
	}
	c := condition{field: strings.ToLower(field)}
	switch {
	case p.take("!="):
		c.op = "!="
	case p.take("=="):
		c.op = "=="
	case p.take("="):
		c.op = "="
	case p.keyword("in"):
		c.op = "in"
	case p.keyword("not"):
		if !p.keyword("in") {
			return nil, errMatch
		}
		c.op = "not in"
	default:
		return nil, errMatch
	}
	list := c.op == "in" || c.op == "not in"
	switch {
	case p.take("["):
		return c.bounded(p, true, list)
	case p.take("("):
		return c.bounded(p, false, list)
	case list:
		return nil, errMatch
	}
	v, ok := p.value()
	if !ok {
		return nil, errMatch
	}
	c.values = []string{v}
	return c, nil
}

// bounded reads a list or an interval after its opening bracket.
func (c condition) bounded(p *matchParser, withFrom, list bool) (expression, error) {
	var values []string
	for {
		v, _ := p.value() // a bound may be missing
		values = append(values, v)
		if !p.take(",") {
			break
		}
	}
	withTo := p.take("]")
	if !withTo && !p.take(")") {
		return nil, errMatch
	}
	plain := !withFrom && !withTo
	empty := false
	for _, v := range values {
		empty = empty || v == ""
	}
	switch {
	case list && (!plain || empty):
		return nil, errMatch
	case list || plain && len(values) != 2:
		if empty {
			return nil, errMatch
		}
		c.values = values
		return c, nil
	case len(values) != 2 || c.op == "==":
		return nil, errMatch
	}
	c.interval = &interval{from: values[0], to: values[1], withFrom: withFrom, withTo: withTo, list: plain && !empty}
	return c, nil
}

// value reads a quoted text or a bare word. In a quoted text a backslash
// stands before a quote or a backslash.
func (p *matchParser) value() (string, bool) {
	p.space()
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		w := p.word()
		return w, w != ""
	}
	quote := p.rest[0]
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch ch := p.rest[i]; {
		case ch == quote:
			p.rest = p.rest[i+1:]
			return b.String(), true
		case ch == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == quote || p.rest[i+1] == '\\'):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(ch)
		}
	}
	p.rest = "\x00" // an open quote: nothing fits any more
	return "", false
}

// fieldsOf lists the fields of an expression.
func fieldsOf(e expression) []string {
	var names []string
	switch e := e.(type) {
	case andExpression:
		for _, sub := range e.all {
			names = append(names, fieldsOf(sub)...)
		}
	case orExpression:
		for _, sub := range e.any {
			names = append(names, fieldsOf(sub)...)
		}
	case condition:
		names = append(names, e.field)
	}
	return names
}

// property is a field of an asset as the search sees it.
type property struct {
	values []string
	kind   propertyKind
}

type propertyKind int

const (
	exact  propertyKind = iota
	fuzzy               // = finds a part of the text, without case
	number              // also times: compared as numbers
)

// holds evaluates an expression over the properties of an asset; nil holds.
func holds(e expression, of func(field string) property) bool {
	switch e := e.(type) {
	case andExpression:
		for _, sub := range e.all {
			if !holds(sub, of) {
				return false
			}
		}
		return true
	case orExpression:
		for _, sub := range e.any {
			if holds(sub, of) {
				return true
			}
		}
		return false
	case condition:
		found := e.holds(of(e.field))
		if e.op == "!=" || e.op == "not in" {
			return !found
		}
		return found
	}
	return true
}

func (c condition) holds(p property) bool {
	values := c.values
	if c.interval != nil {
		if p.kind == number || !c.interval.list {
			return len(p.values) > 0 && c.interval.has(p.values[0], p.kind)
		}
		values = []string{c.interval.from, c.interval.to}
	}
	for _, have := range p.values {
		for _, want := range values {
			switch {
			case p.kind == fuzzy && c.op != "==":
				if strings.Contains(strings.ToLower(have), strings.ToLower(want)) {
					return true
				}
			case p.kind == number:
				if order(have, want) == 0 {
					return true
				}
			case have == want:
				return true
			}
		}
	}
	return false
}

func (i *interval) has(have string, kind propertyKind) bool {
	compare := order
	if kind != number {
		compare = strings.Compare
	}
	if i.from != "" {
		if n := compare(have, i.from); n < 0 || n == 0 && !i.withFrom {
			return false
		}
	}
	if i.to != "" {
		if n := compare(have, i.to); n > 0 || n == 0 && !i.withTo {
			return false
		}
	}
	return true
}
