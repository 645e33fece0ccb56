package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// room is the check of the disk below the data: only where the server is on this machine
// can a client look.
type room struct{}

// free is the share of the disk that should be left.
const free = 0.1

func (room) Describe() Info {
	return Info{ID: "SET-04", Title: "The disk below the database is nearly full, or its folder is open to others", Severity: High, Safety: Advice,
		Cause:  "the data grew, WAL was kept (DUR-03, DUR-04), or something else writes to the same disk",
		Breaks: "when the disk is full the server stops; whoever may read the folder reads every row",
		Advice: "make room before the last tenth is gone: find what keeps WAL, drop what is not needed, or extend the disk; chmod 0700 the folder"}
}

const roomSQL = `select current_setting('data_directory_mode') as mode, current_setting('data_directory', true) as folder`

func (room) Probe() string {
	return roomSQL + "\n-- then, through a Unix socket, the free space of that folder's disk"
}

func (room) run(ctx context.Context, s *session) (out result, err error) {
	if !s.server.settings {
		return result{skipped: []Skipped{{Reason: "missing right: only members of pg_read_all_settings see where the data is"}}}, nil
	}
	rows, err := s.rows(ctx, roomSQL)
	if err != nil {
		return out, err
	}
	mode, folder := rows[0]["mode"], rows[0]["folder"]
	if plain := strings.TrimLeft(mode, "0"); plain != "700" && plain != "750" {
		out.findings = append(out.findings, Finding{Object: "folder " + folder, Evidence: "its mode is " + mode})
	}
	if !strings.HasPrefix(s.conn.Config().Host, "/") {
		out.skipped = append(out.skipped, Skipped{ByDesign: true, Reason: "the server may be on another machine: the space on its disk cannot be seen from here"})
		return out, nil
	}
	left, size, err := space(folder)
	if err != nil || size == 0 {
		out.skipped = append(out.skipped, Skipped{Object: "folder " + folder, ByDesign: true, Reason: fmt.Sprintf("the space on its disk cannot be seen: %v", err)})
		return out, nil
	}
	if share := float64(left) / float64(size); share < cmp.Or(s.opt.Limits.Free, free) {
		severity := High
		if share < 0.03 {
			severity = Critical
		}
		out.findings = append(out.findings, Finding{Object: "disk of " + folder, Severity: severity, Evidence: fmt.Sprintf("%.1f %% of %d GB is free", 100*share, size>>30)})
	}
	return out, nil
}
