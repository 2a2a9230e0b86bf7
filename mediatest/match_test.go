package mediatest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func propertiesOf(field string) property {
	switch field {
	case "title":
		return property{values: []string{"The Black Cat"}, kind: fuzzy}
	case "tags":
		return property{values: []string{"pet", "night"}}
	case "size":
		return property{values: []string{"100"}, kind: number}
	case "created":
		return property{values: []string{"1700000000000"}, kind: number}
	case "status":
		return property{values: []string{"Normal"}}
	}
	return property{}
}

func TestMatch_Language(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                         true,
		"title = 'cat'":            true,
		"title == 'cat'":           false,
		"title == 'The Black Cat'": true,
		`title != "dog"`:           true,
		"title in ('dog','black')": true,
		"tags in ('pet')":          true,
		"tags not in ('pet')":      false,
		"tags = ('x','night')":     true,
		"size = 100":               true,
		"size = [100,200)":         true,
		"size = (100,200)":         false,
		"size = [1,100)":           false,
		"size = [1,100]":           true,
		"size = [,100]":            true,
		"size = (100,]":            false,
		"size != [1,5]":            true,
		"created = ('1600000000000','1800000000000')":               true,
		"created = ['2023-11-14T22:13:20Z','2023-11-14T22:13:21Z')": true,
		"Status='Normal' AND Title='cat'":                           true,
		"status = 'x' or title = 'cat' and size = 5":                false,
		"(status = 'x' or title = 'cat') and size = 100":            true,
		"((status = 'Normal'))":                                     true,
		`title = 'it\'s'`:                                           false,
		"created = [1600000000000,1800000000000) and (tags in ('a','pet') or status = 'Blocked')": true,
	} {
		e, err := parseMatch(text)
		require.NoError(t, err, text)
		require.Equal(t, want, holds(e, propertiesOf), text)
	}
	for _, text := range []string{
		"title", "title =", "title = '", "title = 'a' and", "and title = 'a'", "(title = 'a'", "title = 'a')", "title in 'a'", "title in ()",
		"title in ['a','b']", "size = [1,2,3]", "size = [1", "title = 'a' title = 'b'", "1 = 2", "title ~ 'a'", "title not 'a'", "size == [1,2]",
	} {
		_, err := parseMatch(text)
		require.Error(t, err, text)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("title = 'a' and (b in (1,2) or c != [1,2))")
	f.Add("((((((")
	f.Add(`a = "\"" or b == 'x'`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseMatch(text)
		if err == nil {
			holds(e, propertiesOf)
			require.LessOrEqual(t, len(fieldsOf(e)), len(text))
		}
	})
}
