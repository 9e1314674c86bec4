package cmd_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// costs are what a program and its stores have spent since they began: seconds of CPU,
// round trips of requests, and pieces of memory that the program asked for. Of PostgreSQL it is
// every process, those that write and vacuum in the background among them.
type costs struct {
	server, postgresql, redis float64
	toPostgreSQL, toRedis     float64
	allocations               float64
	resident, peak            float64 // bytes that the program and its child hold now, and the most that each ever held
}

// report prints what n of something cost, by the difference to an earlier look.
func (c costs) report(b *testing.B, before costs, n float64, each string) {
	for _, cost := range []struct {
		name string
		each float64
	}{
		{"server-CPU-ms", (c.server - before.server) * 1000},
		{"PostgreSQL-CPU-ms", (c.postgresql - before.postgresql) * 1000},
		{"Redis-CPU-ms", (c.redis - before.redis) * 1000},
		{"PostgreSQL-trips", c.toPostgreSQL - before.toPostgreSQL},
		{"Redis-trips", c.toRedis - before.toRedis},
		{"server-allocs", c.allocations - before.allocations},
	} {
		b.ReportMetric(cost.each/n, cost.name+"/"+each)
	}
	b.ReportMetric(c.resident/(1<<20), "server-resident-MiB")
}

func (c *country) costs(program *program) costs {
	c.t.Helper()
	var (
		sum     costs
		called  = filepath.Base(program.cmd.Path)
		metrics = map[string]string{"idp": c.management, "cabinet": "http://" + c.setting("CABINET_METRICS_LISTEN")}[called]
	)
	processes, err := os.ReadDir("/proc")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		name, seconds := cpu(pid)
		switch {
		case descends(pid, program.cmd.Process.Pid):
			sum.server += seconds
			sum.resident += held(pid, "VmRSS")
			sum.peak += held(pid, "VmHWM")
		case !descends(pid, os.Getpid()): // others on the machine may run a PostgreSQL too
		case name == "postgres":
			sum.postgresql += seconds
		case name == "redis-server":
			sum.redis += seconds
		}
	}
	res, err := http.Get(metrics + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	told := map[string]*float64{
		called + `_round_trips_total{store="postgresql"}`: &sum.toPostgreSQL,
		called + `_round_trips_total{store="redis"}`:      &sum.toRedis,
		`go_memstats_mallocs_total`:                       &sum.allocations,
	}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		to := told[name]
		if to == nil {
			continue
		}
		delete(told, name)
		if *to, err = strconv.ParseFloat(value, 64); err != nil {
			c.t.Fatal(err)
		}
	}
	if len(told) > 0 {
		c.t.Fatalf("%s does not tell %v", called, told)
	}
	return sum
}

// descends tells a process that is another, or was begun by it or its children.
func descends(pid, from int) bool {
	for pid > 1 && pid != from {
		_, fields := stat(pid)
		if len(fields) == 0 {
			return false
		}
		pid, _ = strconv.Atoi(fields[1]) // its parent
	}
	return pid == from
}

// cpu is a process's name, and the seconds of CPU that it and its ended children used.
func cpu(pid int) (name string, seconds float64) {
	name, fields := stat(pid)
	const utime, cstime, ticks = 11, 14, 100
	for i := utime; i <= cstime && i < len(fields); i++ {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return "", 0
		}
		seconds += n / ticks
	}
	return name, seconds
}

// held is how much of a kind of memory a process has (proc(5)), in bytes; nothing if it ended meanwhile.
func held(pid int, kind string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(text), kind+":")
	var kib float64
	_, _ = fmt.Sscan(after, &kib)
	return kib * 1024
}

// stat is a process's name, and its fields from the state on (proc(5)); none if it ended meanwhile.
func stat(pid int) (name string, fields []string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	open, shut := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if err != nil || open < 0 || shut < open {
		return "", nil
	}
	return string(text[open+1 : shut]), strings.Fields(string(text[shut+1:]))
}
