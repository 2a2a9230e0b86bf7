package webfile

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// DialPublic connects to public addresses only. It checks the address of the
// connection itself, so it does not matter what a name resolved to before.
func DialPublic(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout:   30 * time.Second,
		KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !isPublic(to.Addr()) {
				return retry.Permanent(fmt.Errorf("%w: %s", ErrNotPublic, address))
			}
			return nil
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// isPublic reports whether an address is of the public internet. An IPv6
// address that embeds an IPv4 address counts as that one.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsValid() || ip.Is6() && !globalUnicast.Contains(ip) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

var (
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
	globalUnicast = netip.MustParsePrefix("2000::/3")

	// notPublic is the special-purpose address registries of IANA, and the
	// metadata service of Azure.
	notPublic = func() (all []netip.Prefix) {
		for _, text := range strings.Fields(`
			0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
			192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
			198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
			168.63.129.16/32
			2001::/23 2001:db8::/32 2002::/16 3fff::/20`) {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}()
)
