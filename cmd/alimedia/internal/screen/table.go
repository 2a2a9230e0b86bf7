package screen

import (
	"io"
	"strings"
)

// Table is rows of text under headings.
type Table struct {
	Headings []string
	Rows     [][]string

	// Flexible are the columns that may be shortened, the first one most
	// willingly. Others, such as ids, are always shown whole.
	Flexible []int
}

// Row adds a row. Its text may come from anywhere.
func (t *Table) Row(cells ...string) { t.Rows = append(t.Rows, cells) }

const narrowest = 8 // columns that a shortened column keeps

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
	if width > 0 && !t.squeeze(widths, width) {
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

// squeeze narrows the flexible columns until the table fits, and reports
// whether it does.
func (t *Table) squeeze(widths []int, width int) bool {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for _, j := range t.Flexible {
		if total <= width {
			break
		}
		least := min(widths[j], max(narrowest, Width(t.Headings[j])))
		cut := min(total-width, widths[j]-least)
		widths[j], total = widths[j]-cut, total-cut
	}
	return total <= width
}

func (t *Table) line(b *strings.Builder, cells []string, widths []int, paint func(string) string) {
	var row strings.Builder
	for j, cell := range cells {
		if j > 0 {
			row.WriteString("  ")
		}
		cell = FitMiddle(cell, widths[j])
		if j == len(cells)-1 {
			row.WriteString(cell)
		} else {
			row.WriteString(Pad(cell, widths[j]))
		}
	}
	b.WriteString(paint(strings.TrimRight(row.String(), " ")) + "\n")
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
			if Width(label)+Width(cell) > width && t.flexible(j) {
				cell = FitMiddle(cell, width-Width(label))
			}
			b.WriteString(heading(strings.TrimSuffix(label, " ")) + " " + cell + "\n")
		}
	}
}

func (t *Table) flexible(column int) bool {
	for _, j := range t.Flexible {
		if j == column {
			return true
		}
	}
	return false
}
