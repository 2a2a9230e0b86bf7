package main

import (
	"bytes"
	"fmt"
)

// rates prints the documented rates of the package; nothing if it has none.
func (m *model) rates() []byte {
	var table bytes.Buffer
	for _, op := range m.ops {
		if rate := m.reference.operation(op.action).Rate; rate > 0 {
			fmt.Fprintf(&table, "%q: %d,\n", op.action, rate)
		}
	}
	if table.Len() == 0 {
		return nil
	}
	var b bytes.Buffer
	comment(&b, "DocumentedRates returns the calls per second that the service documents for an account and all its RAM users together, for "+
		"[alimedia.NewRateLimit]. They apply in the regions of the Chinese mainland and in Singapore. Other regions have lower rates for uploads, "+
		"and the service may lower them under load. Operations that are not listed have no documented rate.\n\n"+m.overlay.RatesPage)
	fmt.Fprintf(&b, "func DocumentedRates() map[string]float64 {\nreturn map[string]float64{\n%s}\n}\n", table.Bytes())
	return b.Bytes()
}
