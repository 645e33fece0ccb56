package source

// readPortably makes a folder's tree read as it does on other systems.
func readPortably(t *Tree) { t.reader.(*folderReader).direct.missing.Store(true) }
