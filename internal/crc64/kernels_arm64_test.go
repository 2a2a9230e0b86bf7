//go:build !purego

package crc64

func kernels() (list []kernel, reset func()) {
	has := canFold
	use := func(fold bool) func() { return func() { canFold = fold } }
	list = append(list, kernel{"plain", use(false)})
	if has {
		list = append(list, kernel{"PMULL", use(true)})
	}
	return list, use(has)
}
