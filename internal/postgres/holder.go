package postgres

import "os"

// Holder says which process scans.
type Holder struct {
	Host  string // the machine's name, for people
	PID   int
	Space string // boot and process namespace in which PID means something; "" when unknown
	Start int64  // when the process began, in the kernel's ticks since boot; 0 when unknown
}

// ThisProcess is the running process as a Holder.
func ThisProcess() Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // it is shown to people only
	}
	h := Holder{Host: host, PID: os.Getpid(), Space: processSpace()}
	h.Start, _ = processStart(h.PID)
	return h
}

// dead says whether the process of a Holder is known to have ended. Where it
// cannot be seen from here (another machine, another namespace) the answer is no.
func (h Holder) dead() bool {
	if h.Space == "" || h.Space != processSpace() {
		return false
	}
	start, running := processStart(h.PID)
	return !running || start != 0 && h.Start != 0 && start != h.Start
}
