package domain_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The words are the contract: callers compare with them.
func TestKindsAreTheContractsWords(t *testing.T) {
	t.Parallel()
	want := []domain.Kind{
		"Type Error", "Invalid Hash ID", "Fleet Disabled", "Customer Not Found", "Invalid PIN", "PIN Locked",
		"Photo Too Large", "Too Many Requests", "Service Unavailable", "Internal Error", "Not Found", "Conflict",
	}
	if got := domain.Kinds(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, kind := range want {
		if kind.Error() != string(kind) {
			t.Errorf("%q reads %q as an error", string(kind), kind.Error())
		}
	}
}

func TestKindsListsEveryConstant(t *testing.T) {
	t.Parallel()
	declared := declaredKinds(t)
	listed := domain.Kinds()
	slices.Sort(declared)
	slices.Sort(listed)
	if !slices.Equal(declared, listed) {
		t.Errorf("declared are %q, listed are %q", declared, listed)
	}
}

// declaredKinds reads the constants of type Kind from the package's source.
func declaredKinds(t *testing.T) []domain.Kind {
	t.Helper()
	var kinds []domain.Kind
	for _, name := range must(filepath.Glob("*.go")) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name == "domain" {
			ast.Inspect(file, func(node ast.Node) bool {
				kinds = append(kinds, kindsIn(node)...)
				return true
			})
		}
	}
	return kinds
}

// kindsIn reads the values of a declaration of Kinds; none of any other node.
func kindsIn(node ast.Node) []domain.Kind {
	spec, _ := node.(*ast.ValueSpec)
	if spec == nil {
		return nil
	}
	var kinds []domain.Kind
	if name, _ := spec.Type.(*ast.Ident); name != nil && name.Name == "Kind" {
		for _, value := range spec.Values {
			kinds = append(kinds, domain.Kind(must(strconv.Unquote(value.(*ast.BasicLit).Value))))
		}
	}
	return kinds
}

func TestKindSurvivesWrapping(t *testing.T) {
	t.Parallel()
	locked := domain.Errorf(domain.PINLocked, "wait")
	locked.RetryAfter = time.Minute
	caused := locked.WithCause(io.ErrUnexpectedEOF)
	for name, err := range map[string]error{
		"as it is":             caused,
		"wrapped":              fmt.Errorf("count: %w", caused),
		"wrapped twice":        fmt.Errorf("call: %w", fmt.Errorf("count: %w", caused)),
		"joined":               errors.Join(caused, io.ErrClosedPipe),
		"joined behind":        errors.Join(io.ErrClosedPipe, nil, caused),
		"joined and wrapped":   fmt.Errorf("all: %w", errors.Join(caused, domain.Errorf(domain.Unavailable, "log"))),
		"the cause of another": domain.Errorf(domain.Unavailable, "later").WithCause(caused),
	} {
		if !errors.Is(err, domain.PINLocked) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the Kind or the cause is lost in %v", name, err)
		}
		if errors.Is(err, domain.InvalidPIN) || errors.Is(err, domain.NotFound) {
			t.Errorf("%s: %v is of another Kind too", name, err)
		}
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	locked := &domain.Error{Kind: domain.PINLocked, Public: "wait", Cause: io.EOF, RetryAfter: time.Minute}
	plain := errors.New("dial 10.0.0.7: password postgres")
	unknown := domain.Error{Kind: domain.Internal, Public: "the server failed in a way it did not expect; report the api_log_id", Cause: plain}
	for name, test := range map[string]struct {
		err  error
		want domain.Error
	}{
		"as it is":           {locked, *locked},
		"wrapped":            {fmt.Errorf("count: %w", locked), *locked},
		"the first joined":   {errors.Join(locked, domain.Errorf(domain.Unavailable, "log")), *locked},
		"behind a plain one": {errors.Join(plain, locked), *locked},
		"the outer of two":   {domain.Errorf(domain.Unavailable, "later").WithCause(locked), domain.Error{Kind: domain.Unavailable, Public: "later", Cause: locked}},
		"a plain one":        {plain, unknown},
	} {
		if got := *domain.AsError(test.err); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	bare := domain.Errorf(domain.Conflict, "fleet %d exists already", 689)
	caused := bare.WithCause(errors.New("UNIQUE constraint"))
	for err, want := range map[*domain.Error][2]string{
		bare:   {"Conflict: fleet 689 exists already", "fleet 689 exists already"},
		caused: {"Conflict: fleet 689 exists already (UNIQUE constraint)", "fleet 689 exists already"},
	} {
		if got := [2]string{err.Error(), err.Public}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if bare.Cause != nil {
		t.Error("WithCause changed its receiver")
	}
}

func ExampleError() {
	err := domain.Errorf(domain.Unavailable, "the photos can't be stored now; try again").WithCause(io.ErrUnexpectedEOF)
	wrapped := fmt.Errorf("put photo: %w", err)
	fmt.Println(errors.Is(wrapped, domain.Unavailable), errors.Is(wrapped, io.ErrUnexpectedEOF))
	fmt.Println(domain.AsError(wrapped).Public)
	fmt.Println(wrapped)
	// Output:
	// true true
	// the photos can't be stored now; try again
	// put photo: Service Unavailable: the photos can't be stored now; try again (unexpected EOF)
}
