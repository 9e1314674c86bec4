package register

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// Whatever a file holds, what is handed to PostgreSQL has the shape of a row.
func FuzzFile(f *testing.F) {
	const head = "# country BY\n# edition 1\n# period 2026-01\n# rows 1\n"
	columns := strings.Join(fileColumns[:], ",") + "\n"
	f.Add(head + columns + "1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,\n")
	f.Add(head + columns + "1010130K001PB9,M,1930,BY,2026-01-01,\"a, \\b\",,,,,,,,\r\n")
	f.Add(head + columns + "1010130K001PB9,M,1930,BY,2026-01-01,\"a, b\",,,,,,,,,,\n")
	f.Add(head + columns + "1010130K001PB8,X,1930,BY,,,,,,,,,,\n")
	f.Add("# kind full\n" + head + columns + "1010130K001PB9,X,1930,BY,,,,,,,,,,\n")
	f.Add("\ufeff" + head + columns)
	f.Add("# kind full\n" + head + columns + "1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,\n1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,\n")
	f.Add("# kind delta\n# kind full\n# rows -1\n# edition 99999999999\n" + columns)
	f.Add("\xff\xfe#\x00 \x00")
	f.Add(head + columns + "2290296M000BA3,F,1996,RU,2025-10-30,\xe7\xe0\xef\xe8\xf1\xfc,,,,,,,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := open(strings.NewReader(text), func(int64, int64) {})
		if err != nil {
			return
		}
		out, err := io.ReadAll(file.byLine(file.size))
		if err == nil && file.read != file.rows {
			t.Errorf("%d rows where %d are announced", file.read, file.rows)
		}
		if !toldOnce(file.bad) {
			t.Errorf("a row is told twice: %v", file.bad)
		}
		var given, mentioned int64
		for row := range bytes.Lines(out) {
			values := bytes.Split(bytes.TrimSuffix(row, []byte("\n")), []byte("\t"))
			if got, want := len(values), 1+len(fileColumns); got != want { // the line is one
				t.Fatalf("%d columns in %q", got, row)
			}
			if len(bytes.Join(values[2:], nil)) > 0 {
				given++
			} else { // beside its line and the number of somebody it has nothing
				mentioned++
			}
		}
		told := int64(len(file.bad))
		if given+file.rejected != file.read || told != min(file.rejected+file.doubtful, maxTold) {
			t.Errorf("%d rows: %d given, %d told, %d counted as rejected and %d as doubtful", file.read, given, told, file.rejected, file.doubtful)
		}
		if mentioned > file.rejected || mentioned > 0 && file.kind != Full {
			t.Errorf("%d bad rows of a %s edition are mentioned, %d are rejected", mentioned, file.kind, file.rejected)
		}
	})
}

// toldOnce tells whether each line is told of once.
func toldOnce(rows []BadRow) bool {
	for i, row := range rows[min(1, len(rows)):] {
		if row.Line == rows[i].Line {
			return false
		}
	}
	return true
}
