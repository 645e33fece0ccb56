package migrate

import "fmt"

// compare finds where the ledger and the files contradict each other. Both are sorted by
// version. Files that are merely not applied yet, above everything applied, are no finding.
func compare(files []File, applied []Applied) []Finding {
	byVersion := make(map[int64]File, len(files))
	byChecksum := make(map[string]File, len(files))
	for _, f := range files {
		byVersion[f.Version] = f
		byChecksum[f.Checksum.String()] = f
	}
	var out []Finding
	var newest int64
	inLedger := make(map[int64]bool, len(applied))
	for _, a := range applied {
		inLedger[a.Version] = true
		newest = max(newest, a.Version)
		f, ok := byVersion[a.Version]
		switch {
		case !ok && len(files) > 0 && a.Version > files[len(files)-1].Version:
			out = append(out, ledgerFinding(a, "newer", "the database has %s (version %d), which this program does not know: it is older than the database", a.Name, a.Version).
				fix("use the program that applied it (%s) or a newer one", a.AppVersion))
		case !ok:
			fnd := ledgerFinding(a, "missing", "%s was applied on %s and its file is gone", a.Name, a.AppliedAt.UTC().Format("2006-01-02"))
			if moved, found := byChecksum[a.Checksum]; found {
				fnd.Message += fmt.Sprintf("; %s has the same content", moved.Name)
				out = append(out, fnd.fix("rename %s back to %s", moved.Name, a.Name))
				continue
			}
			out = append(out, fnd.fix("restore %s from version control; it must not be deleted once applied", a.Name))
		case f.Checksum.String() != a.Checksum:
			out = append(out, finding(f, "edited", 0, "%s was applied on %s with checksum %.12s and now has %.12s: it was edited afterwards, or the ledger was",
				f.Name, a.AppliedAt.UTC().Format("2006-01-02"), a.Checksum, f.Checksum).
				fix("restore the file and put the change into a new migration; when the edit changes nothing: manito db repair --accept-checksum %d --reason …", f.Version))
		case f.Name != a.Name:
			out = append(out, finding(f, "renamed", 0, "%s was applied under the name %s", f.Name, a.Name).
				fix("rename the file back to %s", a.Name))
		case f.Transaction != a.Transaction:
			out = append(out, finding(f, "ledger", 0, "the ledger says of %s in_transaction = %t, the file says %t: the ledger was edited by hand", f.Name, a.Transaction, f.Transaction).
				fix("UPDATE migration SET in_transaction = %t WHERE version = %d; as the owner", f.Transaction, f.Version))
		}
	}
	for _, f := range files {
		if f.Version < newest && !inLedger[f.Version] {
			out = append(out, finding(f, "out-of-order", 0, "%s is not applied, but version %d is", f.Name, newest).
				fix("when the file is new, give it the next free number; when it was applied and its ledger row is lost: manito db repair --mark-applied %d --reason …", f.Version))
		}
	}
	return out
}

func ledgerFinding(a Applied, code, format string, args ...any) Finding {
	return Finding{Code: code, Severity: High, Version: a.Version, File: a.Name, Message: fmt.Sprintf(format, args...)}
}

// pending are the files that the ledger does not have, in order.
func pending(files []File, applied []Applied) []File {
	have := make(map[int64]bool, len(applied))
	for _, a := range applied {
		have[a.Version] = true
	}
	var out []File
	for _, f := range files {
		if !have[f.Version] {
			out = append(out, f)
		}
	}
	return out
}
