package vod

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocumentedRates_NameOperations(t *testing.T) {
	t.Parallel()
	for action, rate := range DocumentedRates() {
		_, ok := reflect.TypeFor[*Client]().MethodByName(action)
		require.True(t, ok, action)
		require.Positive(t, rate)
	}
}
