package ice

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// The regions of the reference's page of endpoints. Elsewhere a central host
// responses, and nothing inside a VPC.
func TestCall_B59_HostsAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	documented := []string{"ap-southeast-1", "cn-beijing", "cn-hangzhou", "cn-shanghai", "cn-shenzhen", "us-west-1"}
	for region, host := range service.Hosts {
		cfg := alimedia.Config{Region: region, Credentials: credentials.Static("id", "secret", "")}
		_, err := New(cfg)
		require.NoError(t, err, region)
		cfg.Network = alimedia.NetworkVPC
		_, err = New(cfg)
		if slices.Contains(documented, region) {
			require.NoError(t, err, region)
			require.Equal(t, "ice."+region+".aliyuncs.com", host)
			require.Equal(t, "ice-vpc."+region+".aliyuncs.com", service.VPCHosts[region])
			continue
		}
		require.Contains(t, []string{"ice.aliyuncs.com"}, host, region)
		require.ErrorContains(t, err, "set Config.Endpoint", region)
	}
	require.Len(t, service.VPCHosts, len(documented))
}
