package webfile

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDialPublic_B43_PublicAddresses(t *testing.T) {
	t.Parallel()
	for _, text := range strings.Fields(`
		0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.0.1
		169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.0.1 198.18.0.1 198.51.100.1
		203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
		:: ::1 ::7f00:1 fe80::1 fe80::1%eth0 2400:3200::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1
		100::1 64:ff9b:1::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
		64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::100.100.100.200 4000::1`) {
		require.False(t, isPublic(netip.MustParseAddr(text)), text)
	}
	for _, text := range strings.Fields(`1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 106.11.0.1 172.15.0.1 172.32.0.1 192.0.1.1 223.5.5.5
		2400:3200::1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::8.8.8.8`) {
		require.True(t, isPublic(netip.MustParseAddr(text)), text)
	}
	require.False(t, isPublic(netip.Addr{}))
}
