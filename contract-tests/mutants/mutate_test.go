package mutants

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one function of a file, changed in one place.
type mutant struct {
	file, function string
	from, to       string // what stood in the place and what stands there
	begin          int    // where the body of the function begins
	body           string // with the change
}

// String names the mutant in a way that lasts while its function does.
func (m mutant) String() string {
	return fmt.Sprintf("%s %s: %s → %s", m.file, m.function, oneLine(m.from), oneLine(m.to))
}

func oneLine(text string) string {
	const most = 100
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	if text == "" {
		return "nothing"
	}
	return text
}

// source is a file that is mutated.
type source struct {
	name string
	text string
	set  *token.FileSet
	tree *ast.File
}

func readSource(path, text string) (source, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{filepath.Base(path), text, set, tree}, err
}

func (s source) offset(at token.Pos) int { return s.set.Position(at).Offset }

func (s source) of(n ast.Node) string { return s.text[s.offset(n.Pos()):s.offset(n.End())] }

// functions are those with a body, in their order.
func (s source) functions() (all []*ast.FuncDecl) {
	for _, declaration := range s.tree.Decls {
		if f, is := declaration.(*ast.FuncDecl); is && f.Body != nil {
			all = append(all, f)
		}
	}
	return all
}

// mutants returns those of a function. Some may not compile.
func (s source) mutants(f *ast.FuncDecl) []mutant {
	m := mutator{source: s, f: f, results: []*ast.FuncType{f.Type}}
	ast.PreorderStack(f.Body, nil, func(n ast.Node, stack []ast.Node) bool {
		m.visit(n, stack)
		return true
	})
	m.withoutLock()
	m.lettingGo()
	if isMethod(f) {
		m.first("fails while others run", "if mutantMeets("+receiver(f)+") { return "+m.failure()+" }")
		if strings.HasPrefix(s.name, "c") { // of customers: the others don't promise that nobody waits
			m.first("waits while others run", "mutantWaits(ctx, "+receiver(f)+")")
		}
	}
	return m.made
}

// isMethod tells whether f is a method of a port, all of which but one can fail.
func isMethod(f *ast.FuncDecl) bool {
	parameters := f.Type.Params.List
	return f.Recv != nil && f.Name.IsExported() && len(parameters) > 0 && parameters[0].Names[0].Name == "ctx"
}

func receiver(f *ast.FuncDecl) string { return f.Recv.List[0].Names[0].Name }

// failure is what a method returns when it fails.
func (m *mutator) failure() string {
	types := resultTypes(m.f.Type)
	var results []string
	for _, zero := range types[:len(types)-1] {
		results = append(results, "*new("+m.of(zero)+")")
	}
	return strings.Join(append(results, "errMutant"), ", ")
}

// resultTypes has the type of each result.
func resultTypes(f *ast.FuncType) (types []ast.Expr) {
	if f.Results != nil {
		for _, field := range f.Results.List {
			types = append(types, slices.Repeat([]ast.Expr{field.Type}, max(1, len(field.Names)))...)
		}
	}
	return types
}

// first makes a mutant that does something before the rest.
func (m *mutator) first(what, does string) {
	begin := m.offset(m.f.Body.Lbrace) + 1
	m.made = append(m.made, mutant{m.name, m.f.Name.Name, "", what, begin, "\n" + does + "\n" + m.text[begin:m.offset(m.f.Body.Rbrace)]})
}

type mutator struct {
	source
	f       *ast.FuncDecl
	results []*ast.FuncType
	made    []mutant
}

// replace makes the mutant in which something else stands in the place of n.
func (m *mutator) replace(n ast.Node, to string) { m.edit(n.Pos(), n.End(), to) }

func (m *mutator) edit(from, end token.Pos, to string) {
	begin, middle, last, stop := m.offset(m.f.Body.Lbrace)+1, m.offset(from), m.offset(end), m.offset(m.f.Body.Rbrace)
	m.made = append(m.made, mutant{m.name, m.f.Name.Name, m.text[middle:last], to, begin, m.text[begin:middle] + to + m.text[last:stop]})
}

// swapped are operators, and those that are taken in their place.
var swapped = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

func (m *mutator) visit(n ast.Node, stack []ast.Node) {
	switch n := n.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt:
		m.replace(n, "")
	case *ast.DeferStmt:
		m.replace(n, "")
		if _, isFunction := n.Call.Fun.(*ast.Ident); isFunction {
			m.replace(n, "defer func() { if cause := recover(); cause != nil { panic(cause) }; "+m.of(n.Call)+" }()")
			m.replace(n, "defer func() { _ = recover(); "+m.of(n.Call)+" }()")
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			m.replace(n, "")
		}
	case *ast.IfStmt:
		m.replace(n.Cond, "!("+m.of(n.Cond)+")")
		m.replace(n.Cond, "("+m.of(n.Cond)+") && false")
		m.replace(n.Cond, "("+m.of(n.Cond)+") || true")
		if m.callsGiven(n) {
			m.replace(n, m.of(n)+"\n"+m.of(n))
		}
	case *ast.BinaryExpr:
		if other := swapped[n.Op]; other != "" {
			m.edit(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other)
		}
	case *ast.BasicLit:
		if _, isResult := stack[len(stack)-1].(*ast.ReturnStmt); n.Kind == token.INT && !isResult {
			m.replace(n, n.Value+" + 1")
			m.replace(n, n.Value+" - 1")
		}
	case *ast.ReturnStmt:
		m.zeroResults(n, stack)
	case *ast.CallExpr:
		m.call(n)
	case *ast.CompositeLit:
		for _, element := range n.Elts {
			if field, is := element.(*ast.KeyValueExpr); is {
				m.edit(field.Pos(), field.End(), "")
			}
		}
	case *ast.SelectorExpr:
		if name := m.of(n); slices.Contains(kinds, name) {
			m.replace(n, "domain.Internal")
		}
	}
}

var kinds = []string{"domain.Conflict", "domain.NotFound", "domain.InvalidHashID", "domain.CustomerNotFound", "domain.Unavailable"}

// zeroResults makes each result zero that isn't.
func (m *mutator) zeroResults(n *ast.ReturnStmt, stack []ast.Node) {
	signature := m.f.Type
	for _, outer := range stack {
		if literal, is := outer.(*ast.FuncLit); is {
			signature = literal.Type
		}
	}
	types := resultTypes(signature)
	for i, result := range n.Results {
		text := m.of(result)
		isZero := text == "nil" || text == `""` || text == "0" || text == "false" || strings.HasSuffix(text, "{}")
		if len(types) == len(n.Results) && !isZero {
			m.replace(result, "*new("+m.of(types[i])+")")
		}
	}
}

// callsGiven says that a statement calls a function that was given as an argument.
func (m *mutator) callsGiven(n ast.Node) (calls bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		for _, parameter := range m.f.Type.Params.List {
			_, isFunction := parameter.Type.(*ast.FuncType)
			isFunction = isFunction || strings.HasPrefix(m.of(parameter.Type), "ports.")
			calls = calls || is && isFunction && m.of(call.Fun) == parameter.Names[0].Name
		}
		return true
	})
	return calls
}

// call swaps arguments, leaves a call out that returns what it is given, and
// hides the end of ctx from what is called.
func (m *mutator) call(n *ast.CallExpr) {
	if len(n.Args) == 2 && m.of(n.Fun) != "min" && m.of(n.Fun) != "max" {
		m.edit(n.Args[0].Pos(), n.Args[1].End(), m.of(n.Args[1])+", "+m.of(n.Args[0]))
	}
	if len(n.Args) == 1 && n.Ellipsis == token.NoPos {
		m.replace(n, m.of(n.Args[0]))
	}
	if method, is := n.Fun.(*ast.SelectorExpr); is && len(n.Args) == 0 {
		m.replace(n, m.of(method.X))
	}
	if method, is := n.Fun.(*ast.SelectorExpr); is && method.Sel.Name == "WithCause" {
		if made, is := method.X.(*ast.CallExpr); is {
			m.replace(n, m.of(made.Fun)+"("+m.of(made.Args[0])+`, "failed: %v", `+m.of(n.Args[0])+").WithCause("+m.of(n.Args[0])+")")
		}
	}
	for _, argument := range n.Args {
		if m.of(argument) == "ctx" {
			m.replace(argument, "context.WithoutCancel(ctx)")
		}
	}
}

// withoutLock leaves the lock out of the function, and has it make a pause
// after each statement, so that others get in.
func (m *mutator) withoutLock() {
	var out strings.Builder
	locks := false
	for _, statement := range m.f.Body.List {
		text := m.of(statement)
		if strings.Contains(text, ".mu.") {
			locks = locks || strings.Contains(text, ".mu.Lock()") // who only reads has one step
			continue
		}
		out.WriteString("\n" + text + "\nmutantPause()")
	}
	if locks {
		m.made = append(m.made, mutant{m.name, m.f.Name.Name, "the lock", "pauses", m.offset(m.f.Body.Lbrace) + 1, out.String()})
	}
}

// lettingGo has a function that writes, and whose comment says that the lock is
// held, let it go for a pause after each statement.
func (m *mutator) lettingGo() {
	if !strings.Contains(m.f.Doc.Text(), ".mu is held") || !strings.Contains(m.of(m.f.Body), "] = ") {
		return
	}
	begin := m.offset(m.f.Body.Lbrace) + 1
	var out strings.Builder
	ast.Inspect(m.f.Body, func(n ast.Node) bool {
		if block, is := n.(*ast.BlockStmt); is {
			for _, statement := range block.List {
				if _, leaves := statement.(*ast.ReturnStmt); !leaves && m.offset(statement.Pos()) >= begin {
					out.WriteString(m.text[begin:m.offset(statement.Pos())] + receiver(m.f) + ".mu.Unlock(); mutantPause(); " + receiver(m.f) + ".mu.Lock()\n")
					begin = m.offset(statement.Pos())
				}
			}
		}
		return true
	})
	body := out.String() + m.text[begin:m.offset(m.f.Body.Rbrace)]
	m.made = append(m.made, mutant{m.name, m.f.Name.Name, "the lock that is held", "let go at times", m.offset(m.f.Body.Lbrace) + 1, body})
}
