package events

import "container/list"

// bounded is a map that drops its oldest key when it is full.
type bounded[K comparable, V any] struct {
	entries map[K]*list.Element
	oldest  list.List // of entry[K, V], in the order of their arrival
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func (b *bounded[K, V]) get(key K) (value V, ok bool) {
	if e := b.entries[key]; e != nil {
		return e.Value.(entry[K, V]).value, true
	}
	return value, false
}

// set keeps at most limit keys. A key that exists keeps its age.
func (b *bounded[K, V]) set(key K, value V, limit int) {
	if e := b.entries[key]; e != nil {
		e.Value = entry[K, V]{key, value}
		return
	}
	if b.entries == nil {
		b.entries = map[K]*list.Element{}
	}
	for len(b.entries) >= limit {
		b.remove(b.oldest.Front().Value.(entry[K, V]).key)
	}
	b.entries[key] = b.oldest.PushBack(entry[K, V]{key, value})
}

func (b *bounded[K, V]) remove(key K) {
	if e := b.entries[key]; e != nil {
		b.oldest.Remove(e)
		delete(b.entries, key)
	}
}
