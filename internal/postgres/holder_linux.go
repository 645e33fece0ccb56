package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// processSpace names this boot of the machine and the process namespace; "" when /proc does not tell.
func processSpace() string {
	boot := oneLine("/proc/sys/kernel/random/boot_id")
	space, err := os.Readlink("/proc/self/ns/pid")
	if boot == "" || err != nil {
		return ""
	}
	return boot + " " + space
}

// processStart is field 22 of /proc/PID/stat, and whether the process runs. A
// zombie does not. Where /proc does not tell, the process counts as running.
func processStart(pid int) (start int64, running bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, !errors.Is(err, fs.ErrNotExist)
	}
	// The name in the second field may hold spaces and parentheses; what follows the last one does not.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 20 {
		return 0, true
	}
	start, err = strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return 0, true
	}
	return start, fields[0] != "Z" && fields[0] != "X"
}

// oneLine is the trimmed content of a small file; "" when it cannot be read.
func oneLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
