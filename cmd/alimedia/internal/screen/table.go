package screen

import (
	"io"
	"slices"
	"strings"
)

// Table is rows of text under headings.
type Table struct {
	Headings []string
	Rows     [][]string

	// Flexible are the columns that may be shortened, the first one most
	// willingly. Others, such as ids, are always shown whole.
	Flexible []int

	// Optional are the columns that may be left out, the first one first.
	Optional []int
}

// Row adds a row. Its text may come from anywhere.
func (t *Table) Row(cells ...string) { t.Rows = append(t.Rows, cells) }

const (
	narrowest   = 8  // columns that a shortened column keeps
	comfortable = 20 // columns that it keeps while others can be left out
)

// Write writes the table in at most width columns, 0 for any number. Where it
// does not fit, each row becomes a block of lines "heading: cell".
func (t *Table) Write(w io.Writer, width int, heading func(string) string) error {
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]string, len(row))
		for j, cell := range row {
			rows[i][j] = Clean(cell)
		}
	}
	widths := t.widths(rows)
	var b strings.Builder
	if width > 0 && !t.fit(widths, width) {
		t.blocks(&b, rows, width, heading)
	} else {
		t.line(&b, t.Headings, widths, heading)
		for _, row := range rows {
			t.line(&b, row, widths, func(s string) string { return s })
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// leftOut is the width of a column that is not shown.
const leftOut = -1

// fit narrows columns and leaves some out until the table fits, and reports
// whether it does.
func (t *Table) fit(widths []int, width int) bool {
	for n := range len(t.Optional) + 1 {
		try := slices.Clone(widths)
		for _, j := range t.Optional[:n] {
			try[j] = leftOut
		}
		if t.squeeze(try, width, comfortable) || n == len(t.Optional) && t.squeeze(try, width, narrowest) {
			copy(widths, try)
			return true
		}
	}
	return false
}

func (t *Table) widths(rows [][]string) []int {
	widths := make([]int, len(t.Headings))
	for j, h := range t.Headings {
		widths[j] = Width(h)
	}
	for _, row := range rows {
		for j, cell := range row {
			widths[j] = max(widths[j], Width(cell))
		}
	}
	return widths
}

// squeeze narrows the flexible columns to no less than least columns, and
// reports whether the table fits then.
func (t *Table) squeeze(widths []int, width, least int) bool {
	total := -2
	for _, w := range widths {
		if w != leftOut {
			total += 2 + w
		}
	}
	for _, j := range t.Flexible {
		if total <= width {
			break
		}
		if widths[j] == leftOut {
			continue
		}
		keep := min(widths[j], max(least, Width(t.Headings[j])))
		cut := min(total-width, widths[j]-keep)
		widths[j], total = widths[j]-cut, total-cut
	}
	return total <= width
}

func (t *Table) line(b *strings.Builder, cells []string, widths []int, paint func(string) string) {
	var row []string
	for j, cell := range cells {
		if widths[j] != leftOut {
			row = append(row, Pad(FitMiddle(cell, widths[j]), widths[j]))
		}
	}
	b.WriteString(paint(strings.TrimRight(strings.Join(row, "  "), " ")) + "\n")
}

func (t *Table) blocks(b *strings.Builder, rows [][]string, width int, heading func(string) string) {
	for i, row := range rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for j, cell := range row {
			if cell == "" {
				continue
			}
			label := t.Headings[j] + ": "
			if Width(label)+Width(cell) > width && slices.Contains(t.Flexible, j) {
				cell = FitMiddle(cell, width-Width(label))
			}
			b.WriteString(heading(strings.TrimSuffix(label, " ")) + " " + cell + "\n")
		}
	}
}
