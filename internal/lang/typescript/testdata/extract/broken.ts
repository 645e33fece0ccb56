import { a from "b";
function (x {
class { foo( }
const = 5;
export default
interface X { y: 
type = 
enum { A, , B }
namespace {
let { a, b: } = c;
foo(
