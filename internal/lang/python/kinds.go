package python

import "manito/internal/syntax/treesitter"

// The nodes of the grammar that are read. Statements that hold only an
// expression, keywords, punctuation, comments and the texts of strings are left
// out; what stood in them belongs to their parent.
const (
	kModule treesitter.Kind = 1 + iota
	kBlock
	kImport
	kImportFrom
	kImportFuture
	kImportPrefix
	kRelativeImport
	kDottedName
	kAliasedImport
	kWildcard
	kDecorated
	kDecorator
	kFunction
	kClass
	kParameters
	kLambdaParameters
	kTypedParameter
	kDefaultParameter
	kTypedDefaultParameter
	kListSplatPattern
	kDictSplatPattern
	kTuplePattern
	kListPattern
	kPatternList
	kKeywordSeparator
	kPositionalSeparator
	kIf
	kElif
	kElse
	kFor
	kWhile
	kTry
	kExcept
	kFinally
	kWith
	kWithItem
	kMatch
	kCase
	kCasePattern
	kAsPattern
	kAsTarget
	kClassPattern
	kSplatPattern
	kUnionPattern
	kDictPattern
	kKeywordPattern
	kReturn
	kDelete
	kRaise
	kAssert
	kBreak
	kContinue
	kGlobal
	kNonlocal
	kPrint
	kExec
	kTypeAlias
	kNamedExpression
	kAssignment
	kAugmented
	kYield
	kCall
	kArguments
	kKeywordArgument
	kListSplat
	kDictSplat
	kAttribute
	kSubscript
	kSlice
	kIdentifier
	kString
	kConcatenated
	kInterpolation
	kInteger
	kFloat
	kTrue
	kFalse
	kNone
	kEllipsis
	kList
	kSet
	kTuple
	kDict
	kPair
	kListComprehension
	kDictComprehension
	kSetComprehension
	kGenerator
	kForIn
	kIfClause
	kConditional
	kBoolean
	kAnd
	kOr
	kNot
	kBinary
	kComparison
	kUnary
	kLambda
	kAwait
	kParenthesized
	kExpressionList
	kType
	kGenericType
	kUnionType
	kConstrainedType
	kMemberType
	kSplatType
	kTypeParameter
)

// kError stands for text that the parser could not place.
const kError = treesitter.KindError

// The parts that nodes play in their parents.
const (
	fName treesitter.Field = 1 + iota
	fTypeParameters
	fParameters
	fReturnType
	fBody
	fDefinition
	fSuperclasses
	fLeft
	fRight
	fType
	fValue
	fAlias
	fCondition
	fConsequence
	fObject
	fAttribute
	fFunction
	fArguments
	fKey
	fSubject
	fModuleName
)

func selection() treesitter.Selection {
	return treesitter.Selection{
		Kinds: []string{
			kModule: "module", kBlock: "block",
			kImport: "import_statement", kImportFrom: "import_from_statement", kImportFuture: "future_import_statement",
			kImportPrefix: "import_prefix", kRelativeImport: "relative_import", kDottedName: "dotted_name",
			kAliasedImport: "aliased_import", kWildcard: "wildcard_import",
			kDecorated: "decorated_definition", kDecorator: "decorator", kFunction: "function_definition", kClass: "class_definition",
			kParameters: "parameters", kLambdaParameters: "lambda_parameters", kTypedParameter: "typed_parameter",
			kDefaultParameter: "default_parameter", kTypedDefaultParameter: "typed_default_parameter",
			kListSplatPattern: "list_splat_pattern", kDictSplatPattern: "dictionary_splat_pattern",
			kTuplePattern: "tuple_pattern", kListPattern: "list_pattern", kPatternList: "pattern_list",
			kKeywordSeparator: "keyword_separator", kPositionalSeparator: "positional_separator",
			kIf: "if_statement", kElif: "elif_clause", kElse: "else_clause", kFor: "for_statement", kWhile: "while_statement",
			kTry: "try_statement", kExcept: "except_clause", kFinally: "finally_clause", kWith: "with_statement", kWithItem: "with_item",
			kMatch: "match_statement", kCase: "case_clause", kCasePattern: "case_pattern", kAsPattern: "as_pattern", kAsTarget: "as_pattern_target",
			kClassPattern: "class_pattern", kSplatPattern: "splat_pattern", kUnionPattern: "union_pattern", kDictPattern: "dict_pattern",
			kKeywordPattern: "keyword_pattern",
			kReturn:         "return_statement", kDelete: "delete_statement", kRaise: "raise_statement", kAssert: "assert_statement",
			kBreak: "break_statement", kContinue: "continue_statement",
			kGlobal: "global_statement", kNonlocal: "nonlocal_statement", kPrint: "print_statement", kExec: "exec_statement",
			kTypeAlias: "type_alias_statement", kNamedExpression: "named_expression", kAssignment: "assignment", kAugmented: "augmented_assignment",
			kYield: "yield", kCall: "call", kArguments: "argument_list", kKeywordArgument: "keyword_argument",
			kListSplat: "list_splat", kDictSplat: "dictionary_splat", kAttribute: "attribute", kSubscript: "subscript", kSlice: "slice",
			kIdentifier: "identifier", kString: "string", kConcatenated: "concatenated_string", kInterpolation: "interpolation",
			kInteger: "integer", kFloat: "float", kTrue: "true", kFalse: "false", kNone: "none", kEllipsis: "ellipsis",
			kList: "list", kSet: "set", kTuple: "tuple", kDict: "dictionary", kPair: "pair",
			kListComprehension: "list_comprehension", kDictComprehension: "dictionary_comprehension", kSetComprehension: "set_comprehension",
			kGenerator: "generator_expression", kForIn: "for_in_clause", kIfClause: "if_clause",
			kConditional: "conditional_expression", kBoolean: "boolean_operator", kAnd: `"and"`, kOr: `"or"`, kNot: "not_operator",
			kBinary: "binary_operator", kComparison: "comparison_operator", kUnary: "unary_operator", kLambda: "lambda", kAwait: "await",
			kParenthesized: "parenthesized_expression", kExpressionList: "expression_list",
			kType: "type", kGenericType: "generic_type", kUnionType: "union_type", kConstrainedType: "constrained_type",
			kMemberType: "member_type", kSplatType: "splat_type", kTypeParameter: "type_parameter",
		},
		Fields: []string{
			fName: "name", fTypeParameters: "type_parameters", fParameters: "parameters", fReturnType: "return_type", fBody: "body",
			fDefinition: "definition", fSuperclasses: "superclasses", fLeft: "left", fRight: "right", fType: "type", fValue: "value",
			fAlias: "alias", fCondition: "condition", fConsequence: "consequence", fObject: "object",
			fAttribute: "attribute", fFunction: "function", fArguments: "arguments", fKey: "key",
			fSubject: "subject", fModuleName: "module_name",
		},
		Leaves: []string{"string_content"},
	}
}
