package term

// stopped says whether a term is left out of a kind of text. It is asked with
// stems, in which form the words stand here.
func stopped(w string, kind Kind) bool {
	switch kind {
	case Prose:
		return stopWord(w)
	case Code:
		return len(w) == 1 || stopWord(w) || keyword(w)
	}
	return false
}

// stopWord is true for words of English that carry no meaning of their own.
func stopWord(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "doe", "does", "for", "from", "had", "has", "have",
		"how", "i", "if", "in", "into", "is", "it", "its", "of", "on", "or", "s", "should", "so", "t", "that", "the", "their", "them", "then", "there",
		"these", "they", "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "who", "whi", "why", "will", "with", "would", "you", "your":
		return true
	}
	return false
}

// keyword is true for what programs of any kind consist of.
func keyword(w string) bool {
	switch w {
	case "func", "function", "def", "return", "var", "let", "const", "nil", "null", "none", "undefin", "true", "fals", "else", "elif", "switch", "case",
		"break", "continu", "default", "go", "defer", "while", "self", "err", "new", "import", "packag", "class", "struct", "public", "privat", "static", "void", "not":
		return true
	}
	return false
}
