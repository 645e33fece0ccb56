// Lists what TypeScript's own parser sees in files, so that the universe of calls,
// imports and definitions is not the measured program's: one line per item,
// tab-separated, positions from 1 with columns in UTF-16 units.
//
//   file PATH
//   c LINE COLUMN            the name of a callee: f(), a.f(), a["f"](), new C(), f``
//   m LINE COLUMN            a module specifier, after its opening quote
//   n LINE COLUMN            a name in an import or export clause
//   d LINE COLUMN KIND NAME  a definition of the graph: not the locals of functions
//   t LINE COLUMN NATURE     a declaration that a call may lead to: code, abstract, class, value
//
// usage: node typescript.cjs ROOT PATH...
const fs = require("fs");
const path = require("path");
const ts = require("typescript");

const [root, ...files] = process.argv.slice(2);
const out = [];

for (const file of files) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  out.push("file\t" + file);
  const emit = (kind, pos, ...rest) => {
    const { line, character } = tree.getLineAndCharacterOfPosition(pos);
    out.push([kind, line + 1, character + 1, ...rest].join("\t"));
  };
  visit(tree, { emit, owner: [], local: false });
}
process.stdout.write(out.join("\n") + "\n");

// callees are the names that a call goes to: one, or those of the branches of (a || b)().
// A name in brackets stands after its quote.
function callees(e) {
  if (ts.isIdentifier(e) || e.kind === ts.SyntaxKind.SuperKeyword) return [e.getStart()];
  if (ts.isPropertyAccessExpression(e)) return [e.name.getStart()];
  if (ts.isElementAccessExpression(e) && ts.isStringLiteralLike(e.argumentExpression)) return [e.argumentExpression.getStart() + 1];
  if (ts.isParenthesizedExpression(e) || ts.isNonNullExpression(e) || ts.isAsExpression(e) || ts.isSatisfiesExpression(e) || ts.isTypeAssertionExpression(e) || ts.isExpressionWithTypeArguments(e))
    return callees(e.expression);
  if (ts.isConditionalExpression(e)) return [...callees(e.whenTrue), ...callees(e.whenFalse)];
  if (ts.isBinaryExpression(e) && [ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken].includes(e.operatorToken.kind)) return [...callees(e.left), ...callees(e.right)];
  return [];
}

function peel(e) {
  while (e && (ts.isParenthesizedExpression(e) || ts.isAsExpression(e) || ts.isSatisfiesExpression(e) || ts.isNonNullExpression(e) || ts.isTypeAssertionExpression(e))) e = e.expression;
  return e;
}

function isFunction(e) {
  e = peel(e);
  return e !== undefined && (ts.isArrowFunction(e) || ts.isFunctionExpression(e));
}

function has(node, kind) {
  return (node.modifiers || []).some((m) => m.kind === kind);
}

function nameOf(n) {
  if (n.name === undefined) return undefined;
  if (ts.isIdentifier(n.name) || ts.isPrivateIdentifier(n.name) || ts.isStringLiteral(n.name) || ts.isNumericLiteral(n.name)) return n.name.text;
  return undefined;
}

// declare says what a declaration is: [kind in the graph, nature as a target]; undefined for others.
function declare(n, at) {
  switch (n.kind) {
    case ts.SyntaxKind.FunctionDeclaration:
      return ["function", "code"];
    case ts.SyntaxKind.ClassDeclaration:
      return ["class", "class"];
    case ts.SyntaxKind.InterfaceDeclaration:
      return ["interface", "value"];
    case ts.SyntaxKind.TypeAliasDeclaration:
      return ["type", "value"];
    case ts.SyntaxKind.EnumDeclaration:
      return ["enum", "value"];
    case ts.SyntaxKind.EnumMember:
      return ["enum_member", "value"];
    case ts.SyntaxKind.ModuleDeclaration:
      return ["namespace", "value"];
    case ts.SyntaxKind.MethodDeclaration:
      if (ts.isObjectLiteralExpression(n.parent)) return [undefined, "code"];
      return ["method", has(n, ts.SyntaxKind.AbstractKeyword) ? "abstract" : "code"];
    case ts.SyntaxKind.MethodSignature:
      return [ts.isInterfaceDeclaration(n.parent) ? "method" : undefined, "abstract"];
    case ts.SyntaxKind.Constructor:
      return ["constructor", "class"];
    case ts.SyntaxKind.GetAccessor:
      return [ts.isClassLike(n.parent) ? "getter" : undefined, "value"];
    case ts.SyntaxKind.SetAccessor:
      return [ts.isClassLike(n.parent) ? "setter" : undefined, "value"];
    case ts.SyntaxKind.PropertyDeclaration:
      return isFunction(n.initializer) ? ["method", "code"] : ["field", "value"];
    case ts.SyntaxKind.PropertySignature:
      return [ts.isInterfaceDeclaration(n.parent) ? "property" : undefined, "value"];
    case ts.SyntaxKind.PropertyAssignment:
      return [undefined, isFunction(n.initializer) ? "code" : "value"];
    case ts.SyntaxKind.Parameter:
      if (ts.isParameterPropertyDeclaration(n, n.parent)) return ["field", "value"];
      return [undefined, "value"];
    case ts.SyntaxKind.VariableDeclaration: {
      if (!ts.isVariableDeclarationList(n.parent)) return [undefined, "value"];
      const init = peel(n.initializer);
      const nature = isFunction(init) ? "code" : init && ts.isClassExpression(init) ? "class" : "value";
      if (nature === "code") return ["function", "code"];
      if (nature === "class") return ["class", "class"];
      if (at.local || !ts.isVariableStatement(n.parent.parent)) return [undefined, "value"];
      return [n.parent.flags & ts.NodeFlags.Const ? "constant" : "variable", "value"];
    }
  }
  return undefined;
}

function visit(n, at) {
  let inside = at;
  const d = declare(n, at);
  if (d !== undefined) {
    const name = n.kind === ts.SyntaxKind.Constructor ? "constructor" : nameOf(n);
    if (name !== undefined) {
      const pos = n.kind === ts.SyntaxKind.Constructor ? n.getChildren().find((c) => c.kind === ts.SyntaxKind.ConstructorKeyword).getStart() : n.name.getStart();
      at.emit("t", pos, d[1]);
      if (d[0] !== undefined && !ts.isStringLiteral(n.name || n)) at.emit("d", pos, d[0], [...at.owner, name].join("."));
      if (d[0] !== undefined) inside = { ...inside, owner: [...at.owner, name] };
    }
  }
  if (ts.isFunctionLike(n) || ts.isClassStaticBlockDeclaration(n)) inside = { ...inside, local: true };
  if (ts.isBlock(n) && !at.local) inside = { ...inside, local: true };
  if (ts.isCallExpression(n) || ts.isNewExpression(n)) {
    for (const pos of callees(n.expression)) at.emit("c", pos);
    if (n.expression.kind === ts.SyntaxKind.ImportKeyword && n.arguments.length > 0 && ts.isStringLiteralLike(n.arguments[0])) at.emit("m", n.arguments[0].getStart() + 1);
  } else if (ts.isTaggedTemplateExpression(n)) {
    for (const pos of callees(n.tag)) at.emit("c", pos);
  } else if (ts.isJsxOpeningLikeElement(n)) {
    if (!/^[a-z]\w*$/.test(n.tagName.getText())) for (const pos of callees(n.tagName)) at.emit("c", pos);
  } else if ((ts.isImportDeclaration(n) || ts.isExportDeclaration(n)) && n.moduleSpecifier) {
    at.emit("m", n.moduleSpecifier.getStart() + 1);
  } else if (ts.isExternalModuleReference(n) && ts.isStringLiteralLike(n.expression)) {
    at.emit("m", n.expression.getStart() + 1);
  } else if (ts.isImportTypeNode(n) && ts.isLiteralTypeNode(n.argument)) {
    at.emit("m", n.argument.getStart() + 1);
  } else if (ts.isImportSpecifier(n) || ts.isExportSpecifier(n)) {
    at.emit("n", (n.propertyName || n.name).getStart());
  } else if (ts.isImportClause(n) && n.name) {
    at.emit("n", n.name.getStart());
  }
  ts.forEachChild(n, (c) => visit(c, inside));
}
