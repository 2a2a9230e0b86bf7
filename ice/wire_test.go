package ice_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/wiretest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	wiretest.Run(t, "ice", func(cfg alimedia.Config) (any, error) { return ice.New(cfg) })
}

func TestIterators_All(t *testing.T) {
	t.Parallel()
	wiretest.RunIterators(t, "ice", func(cfg alimedia.Config) (any, error) { return ice.New(cfg) })
}

func TestWaits_All(t *testing.T) {
	t.Parallel()
	wiretest.RunWaits(t, "ice", func(cfg alimedia.Config) (any, error) { return ice.New(cfg) })
}

func TestSecrets_B60_AreHiddenEverywhereButOnTheWire(t *testing.T) {
	t.Parallel()
	requests, responses := wiretest.RunSecrets(t, "ice", func(cfg alimedia.Config) (any, error) { return ice.New(cfg) })
	t.Logf("%d secrets in requests, %d in responses", requests, responses)
	require.NotZero(t, requests)
	require.NotZero(t, responses)
}

func TestResponses_B51_WithoutTheirProofAreErrors(t *testing.T) {
	t.Parallel()
	wiretest.RunProofs(t, "ice", func(cfg alimedia.Config) (any, error) { return ice.New(cfg) })
}
