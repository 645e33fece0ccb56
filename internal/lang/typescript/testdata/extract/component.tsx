import React, { useState, useRef, useMemo, useCallback, memo, forwardRef, lazy } from "react";
import { Button, type Props } from "./button";
import * as Icons from "./icons";

const Lazy = lazy(() => import("./Lazy"));

export const App: React.FC<Props> = ({ title, onClick, ...rest }) => {
  const [user, setUser] = useState<User>(null);
  const [made, setMade] = useState(() => new User());
  const ref = useRef<User>(null);
  const memoed = useMemo(() => new User(), [user]);
  const cb = useCallback((u: User) => u.save(), []);
  user.save();
  made.save();
  ref.current.save();
  memoed.save();
  cb(user);
  setUser(made);
  return (
    <>
      <Button<string> title={title} onClick={(e) => onClick(e)} {...rest}>
        text {user.name} <Icons.Close size={3} />
      </Button>
      <div className="x" data-a={cb}>
        {made && <Inner key="a" user={user} />}
        {list.map((item) => <this.Row item={item} />)}
      </div>
      <Lazy />
      <svg:rect />
    </>
  );
};

function Inner({ user, n = 1 }: { user: User; n?: number }) {
  return <p>{user.save()}</p>;
}
export const Memo = memo(Inner);
export const Fwd = forwardRef<HTMLElement, Props>((props, ref) => <Button {...props.extra()} ref={ref} />);
class User {
  name = "";
  save() {}
}
export default App;
