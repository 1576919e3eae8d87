"use strict";(()=>{
const NS="http://www.w3.org/2000/svg",MISSING="–",PAINT=["fill","stroke","fill-opacity"];
function start(svg){
svg.setAttribute("data-eyemap","ready");
const all=s=>[...svg.querySelectorAll(s)],set=(e,a)=>{for(const k in a)a[k]==null?e.removeAttribute(k):e.setAttribute(k,a[k]);return e},
make=(n,p,a)=>p.appendChild(set(document.createElementNS(NS,n),a||{})),
parts=all('script[type="application/json"]').map(s=>JSON.parse(s.textContent)),map=parts[0],n=map.layers.length,
groups=all("[data-hexagons]"),hexes=[],at=new Map(),
signs=all("[data-signs]").map(g=>[g,[...g.children]]),rows=all("[data-counts]>g");
const rgba=c=>c.length>7?[c.slice(0,7),String(Math.round(parseInt(c.slice(7),16)/255*1e4)/1e4)]:[c,null],
pale=(c,o)=>o!=null&&o<.063||[1,3,5].every(i=>parseInt(c.slice(i,i+2),16)>=240),
paints=new Map(),paint=(c,bare)=>{const k=c+bare;let p=paints.get(k);if(!p){const[f,o]=rgba(c);paints.set(k,p={fill:f,"fill-opacity":o,stroke:!bare&&pale(f,o)?"#aaa":null})}return p},
ink=p=>{const f=p.fill,d=f.length>4?2:1,o=p["fill-opacity"]??1;
return[.2126,.7152,.0722].reduce((a,w,i)=>{const v=parseInt(f.substr(1+i*d,d),16)*(d>1?1:17),c=(255+(v-255)*o)/255;return a+w*c*c*Math.sqrt(Math.sqrt(c))},0)<.215?"#fff":"#20242c"};
parts.forEach((part,k)=>{
const own=new Map((part.overrides||[]).map(o=>[o[0]+","+o[1],o[2]])),
columns=part.columns.flatMap(([a,b,n])=>Array.from({length:n},(_,i)=>[a,b+i]));
[...(groups[k]?.querySelectorAll("path")||[])].forEach((path,i)=>{
const r=part.rows[i],transform=path.parentNode.getAttribute("transform"),numbers=t=>t.match(/-?[\d.]+/g).map(Number),
[left,top]=numbers(transform),[x,y]=numbers(path.getAttribute("d")),
s=r===false?2:r===null?3:r.length?0:1,row=columns[i].concat(s?[]:r),
was={};
if(!s&&part.minus_layers)row[2]=r.reduce((a,b)=>a+b,0);
for(const a of PAINT)was[a]=path.getAttribute(a);
const full={...was};
if(!was.fill)for(const a of PAINT)full[a]??=groups[k].getAttribute(a);
at.set(path,hexes.length);
hexes.push({path,row,s,transform,left,top,x:x+left,y:y+top,was,full,now:was,k,part,i,own,at:hexes.length})})});
let view=0,here=-1,home=0,shown=-1;
const value=(h,l)=>h.row.length>2+l?h.row[2+l]:0,
told=(v,l)=>{
const b=map.ends&&map.ends[l&&map.ends.length<3?1:l];
return b&&(b[1]!=null&&v>b[1]||b[0]!=null&&v<b[0]&&!(b[2]&&!v))?v+" (beyond the scale)":v},
fill=(h,l)=>{
const p=h.part;
if(p.fills)return p.colors[p.fills[h.i][l-1]];
const v=value(h,l);
if(v===null)return p.unknown;
const t=p.steps[p.steps.length>1?l-1:0];
let c=t[0];
for(const s of t){if(s[0]>v)break;c=s}
return c[1]},
sign=(h,l)=>{
if(h.s)return h.s;
const v=value(h,l);
return v===null?3:v?-1:l&&!Object.is(v,-0)?1:0},
expand=(t,f)=>{
let out="",o;
while((o=t.indexOf("{"))>=0){
const r=t.slice(o+1),e=r.search(/[{}]/),w=e>=0&&r[e]=="}"?f(r.slice(0,e)):null;
if(w==null){out+=t.slice(0,o+1);t=r}else{out+=t.slice(0,o)+w;t=r.slice(e+1)}}
return out+t},
words=(h,l)=>{
const o=h.own.get(h.i+","+l);
if(o!=null)return o;
const v=h.s?null:value(h,l),s=h.s||(v===null?3:0);
return expand((l?map.layer:map.whole)[s],k=>{
switch(k){
case"hex1":return h.row[0];
case"hex2":return h.row[1];
case"value":return s?MISSING:told(v,l);
case"layer":if(l)return map.layers[l-1];break;
case"region":case"side":case"cell_type":case"metric":return map[k]}
const a=map.attributes.indexOf(k);
return a<0?null:h.part.values[h.i][a]??MISSING})};
const tip=make("g",svg,{"pointer-events":"none","aria-hidden":"true","data-tooltip":"",display:"none"}),
ring=make("path",tip,{fill:"none",stroke:"#000","stroke-width":1.6,"stroke-linejoin":"round"}),
box=make("g",tip),ground=make("rect",box,{rx:3,fill:"#222","fill-opacity":.92}),text=make("text",box,{fill:"#fff","font-size":10});
const show=i=>{
if((shown=i)<0)return set(tip,{display:"none"});
const h=hexes[i],lines=words(h,view).split("\n");
text.textContent="";
lines.forEach((t,k)=>make("tspan",text,{x:6,y:14+13*k}).textContent=t);
set(tip,{display:null});
set(ring,{d:h.path.getAttribute("d"),transform:h.transform});
const b=h.path.getBBox(),m=svg.getScreenCTM(),z=m?Math.hypot(m.a,m.b):1,c=svg.viewBox.baseVal,
g=text.getBBox();
let k=Math.max(1,z>0?.9/z:1);
const w=g.width+12,t=13*lines.length+8;
k=Math.min(k,c.width/w,c.height/t);
b.x+=h.left;b.y+=h.top;
let x=b.x+b.width+4,y=b.y-t*k-4;
if(x+w*k>c.x+c.width)x=b.x-w*k-4;
if(y<c.y)y=b.y+b.height+4;
x=Math.max(c.x,Math.min(x,c.x+c.width-w*k));y=Math.max(c.y,Math.min(y,c.y+c.height-t*k));
set(ground,{width:w,height:t});
set(box,{transform:`translate(${x} ${y}) scale(${k})`})},
name=i=>set(hexes[i].path,{"aria-label":words(hexes[i],view).replace(/\n/g,", ")}),
stop=(i,go)=>{
if(here>=0&&here!==i)set(hexes[here].path,{tabindex:null,role:null,"aria-label":null});
here=i;
const p=set(hexes[i].path,{tabindex:0,role:"img"});
p.style.outline="none";
name(i);
if(go)p.focus()},
move=(dx,dy)=>{
const a=hexes[here],near=[];
let best=1/0;
for(const h of hexes){
const x=h.x-a.x,y=h.y-a.y,f=x*dx+y*dy,s=Math.abs(x*dy-y*dx),d=Math.hypot(x,y);
if(f>1e-3&&s<=f+1e-3){near.push([d,h]);best=Math.min(best,d)}}
if(dy||home==null)home=null;
if(dx&&home==null)home=a.y;
let to,low=1/0;
for(const[d,h]of near)if(d<best*1.2){const c=d+(dx?Math.abs(h.y-home):Math.abs(h.x-a.x));if(c<low-1e-6){low=c;to=h}}
if(to)stop(to.at,1)};
const titles=all("[data-title] text")[0],subtitles=all("[data-subtitle] text")[0],buttons=all('[role="radio"]'),legends=all("[data-legend]"),tables=legends.filter(l=>l.dataset.legend>0).length;
const shape=(s,c)=>s==0&&c=="#fff"?4:s,pick=(l,go)=>{
view=l;
if(go&&document.activeElement!==buttons[l])buttons[l].focus();
const counts=[0,0,0,0],samples=[],lines={};
for(const h of hexes){
const s=sign(h,l);
if(!h.s){
const to=l?paint(fill(h,l),s===0||s===1):h.was,now=h.now;
if(to!==now)for(const a of PAINT)if(to[a]!==now[a])to[a]==null?h.path.removeAttribute(a):h.path.setAttribute(a,to[a]);
h.now=to}
if(s>=0){
const p=l&&!h.s?h.now:h.full,c=p.ink??=ink(p),key=h.k+" "+s+" "+c;
counts[s]++;
samples[s]??=p;
if(l)lines[key]=(lines[key]??"")+`M${h.x.toFixed(2)} ${h.y.toFixed(2)}`+map.signs[shape(s,c)][0]}}
signs.forEach(([g,own])=>g.replaceChildren(...l?[]:own));
for(const key in lines){const[k,s,c]=key.split(" ");make("path",signs[k][0],{stroke:c,"stroke-width":map.signs[shape(s,c)][1],d:lines[key]})}
let y=0;
for(const row of rows){
const s=row.dataset.sign,[hexagon,mark]=row.children;
set(row,{display:counts[s]?null:"none"});
if(!counts[s])continue;
row.lastElementChild.textContent=counts[s];
set(row,{transform:`translate(0 ${17*y++})`});
for(const a of PAINT)set(hexagon,{[a]:samples[s][a]});
set(mark,{stroke:samples[s].ink});
if(s==0)set(mark,{d:samples[s].ink=="#fff"?row.dataset.white:row.dataset.dark})}
if(titles)titles.textContent=map.titles[l];
if(subtitles)subtitles.textContent=map.subtitles[l];
const want=l&&tables?tables>1?l:1:0;
legends.forEach(g=>set(g,{display:g.dataset.legend==want?null:"none"}));
buttons.forEach((b,i)=>{
const on=i===l;
set(b,{"aria-checked":on,tabindex:on?0:-1});
set(b.children[0],{fill:on?"#444":"#fff"});set(b.children[1],{fill:on?"#fff":"#222"})});
if(here>=0)name(here);
if(shown>=0)show(shown)};
const hex=e=>at.has(e.target)?at.get(e.target):-1,button=e=>{const b=e.target.closest?.('[role="radio"]');return b?buttons.indexOf(b):-1},
on=(t,f)=>svg.addEventListener(t,f);
on("pointerover",e=>show(hex(e)));
on("pointerleave",()=>show(document.activeElement===hexes[here]?.path?here:-1));
on("pointerdown",e=>show(hex(e)));
on("click",e=>{const b=button(e),i=hex(e);if(b>=0)pick(b,1);else if(i>=0){home=null;stop(i,1)}});
on("focusin",e=>{const i=hex(e);if(i>=0)show(i)});
on("focusout",()=>show(-1));
on("keydown",e=>{
if(e.altKey||e.ctrlKey||e.metaKey)return;
const d={ArrowLeft:[-1,0],ArrowRight:[1,0],ArrowUp:[0,-1],ArrowDown:[0,1]}[e.key],i=hex(e),b=button(e);
if(e.key==="Escape")show(-1);
else if(i>=0){
if(d)move(d[0],d[1]);
else if(e.key==="Home")stop(0,1);
else if(e.key==="End")stop(hexes.length-1,1);
else return}
else if(b>=0){
if(d)pick((b+d[0]+d[1]+buttons.length)%buttons.length,1);
else if(e.key===" "||e.key==="Enter")pick(b,1);
else return}
else return;
e.preventDefault()});
if(svg!==document.documentElement){
const t=[...svg.children].find(c=>c.localName==="title");
if(t){svg.setAttribute("aria-label",t.textContent);t.remove()}}
home=null;
if(buttons.length){set(buttons[0].parentNode,{display:null});buttons.forEach((b,i)=>set(b,{tabindex:i?-1:0}))}
if(hexes.length)stop(Math.max(0,hexes.findIndex(h=>!h.s)))}
const own=document.currentScript?.closest?.("svg");
for(const s of own?[own]:document.querySelectorAll('svg[data-eyemap="1"]'))start(s)
})();
