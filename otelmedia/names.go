package otelmedia

import (
	"strings"
	"sync"
)

// other stands for all names that are not recorded, as the semantic conventions
// say.
const other = "_OTHER"

// names bounds how many different values an attribute has.
type names struct {
	most int

	mu    sync.Mutex
	known map[string]struct{}
}

// bounded returns name, or other if there are too many names already or if it is
// no name.
func (n *names) bounded(name string) string {
	if len(name) > 128 || strings.ContainsFunc(name, isForeign) {
		return other
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.known[name]; ok {
		return name
	}
	if len(n.known) >= n.most {
		return other
	}
	if n.known == nil {
		n.known = make(map[string]struct{})
	}
	n.known[name] = struct{}{}
	return name
}

// isForeign reports whether no code and no operation has the character.
func isForeign(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-/", r))
}
